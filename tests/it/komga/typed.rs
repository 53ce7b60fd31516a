//! The same with a client that was generated from Komga's own description: what it cannot read, others cannot either.
use komga_sdk::apis::configuration::{ApiKey, Configuration};
use komga_sdk::apis::{books_api, current_user_api, libraries_api, series_api};
use komga_sdk::models::{BookSearch, ReadProgressUpdateDto, SeriesSearch};
use reqwest::Method;
use serde_json::json;

use super::{scene, series_id};

#[tokio::test]
async fn a_generated_client_reads_every_answer() {
    let (node, reader) = scene().await;
    let (_, key) = reader.send(Method::POST, "/api/v2/users/me/api-keys", &json!({"comment": "typed"})).await;
    let key = ApiKey { prefix: None, key: key["key"].as_str().unwrap().to_owned() };
    let api = Configuration { base_path: format!("{}/komga", node.url), api_key: Some(key), ..Configuration::new() };
    assert_eq!(current_user_api::get_current_user(&api, None).await.unwrap().email, "ada");
    assert_eq!(libraries_api::get_libraries(&api).await.unwrap().len(), 1);
    let all = series_api::get_series(&api, SeriesSearch::new(), Some(true), None, None, None).await.unwrap();
    assert_eq!(all.total_elements, Some(3));
    let id = series_id(&reader, "Saga").await;
    let series = series_api::get_series_by_id(&api, &id).await.unwrap();
    assert_eq!((series.metadata.title.as_str(), series.books_count), ("Saga", 3));
    let ready = Some(vec!["READY".to_owned()]);
    let books = series_api::get_books_by_series_id(
        &api,
        &id,
        ready,
        None,
        None,
        Some(false),
        Some(true),
        None,
        None,
        None,
        None,
    );
    let books = books.await.unwrap().content.unwrap();
    assert_eq!(books.iter().map(|book| book.metadata.number_sort).collect::<Vec<_>>(), [1.0, 2.0, 10.5]);
    let next = books_api::get_book_sibling_next(&api, &books[0].id).await.unwrap();
    assert_eq!(next.id, books[1].id);
    let read = ReadProgressUpdateDto { completed: Some(true), ..ReadProgressUpdateDto::default() };
    books_api::mark_book_read_progress(&api, &books[0].id, read).await.unwrap();
    let book = books_api::get_book_by_id(&api, &books[0].id).await.unwrap();
    assert!(book.read_progress.is_some_and(|progress| progress.completed));
    let deck = books_api::get_books_on_deck(&api, None, None, None).await.unwrap();
    assert_eq!(deck.content.unwrap()[0].id, books[1].id);
    let found = books_api::get_books(&api, BookSearch::new(), Some(true), None, None, None).await.unwrap();
    assert_eq!(found.total_elements, Some(6));
    node.stop().await;
}
