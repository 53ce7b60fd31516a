//! What a device asks for at its start: where everything is, and a token. All addresses are ours, so that it looks for nothing of
//! its library anywhere else: what a device is not told here, it takes from what Kobo told it before.
use axum::Json as Answer;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::Home;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};

/// Longest body of a call for a token, bytes.
const BODY_MAX: usize = 16 * 1024;
/// Characters of the device's own key that are sent back.
const USER_KEY_MAX: usize = 256;

/// Names of addresses, and the paths that they are at.
const PLACES: &[(&str, &str)] = &[
    ("add_device", "/v1/user/add-device"),
    ("add_entitlement", "/v1/library/{RevisionIds}"),
    ("affiliaterequest", "/v1/affiliate"),
    ("assets", "/v1/assets"),
    ("autocomplete", "/v1/products/autocomplete"),
    ("book", "/v1/products/books/{ProductId}"),
    ("book_subscription", "/v1/products/books/subscriptions"),
    ("browse_history", "/v1/user/browsehistory"),
    ("categories", "/v1/categories"),
    ("category", "/v1/categories/{CategoryId}"),
    ("category_featured_lists", "/v1/categories/{CategoryId}/featured"),
    ("category_products", "/v1/categories/{CategoryId}/products"),
    ("checkout_borrowed_book", "/v1/library/borrow"),
    ("configuration_data", "/v1/configuration"),
    ("content_access_book", "/v1/products/books/{ProductId}/access"),
    ("daily_deal", "/v1/products/dailydeal"),
    ("deals", "/v1/deals"),
    ("delete_entitlement", "/v1/library/{Ids}"),
    ("delete_tag", "/v1/library/tags/{TagId}"),
    ("delete_tag_items", "/v1/library/tags/{TagId}/items/delete"),
    ("device_auth", "/v1/auth/device"),
    ("device_refresh", "/v1/auth/refresh"),
    ("exchange_auth", "/v1/auth/exchange"),
    ("external_book", "/v1/products/books/external/{Ids}"),
    ("featured_list", "/v1/products/featured/{FeaturedListId}"),
    ("featured_lists", "/v1/products/featured"),
    ("fte_feedback", "/v1/products/ftefeedback"),
    ("funnel_metrics", "/v1/funnelmetrics"),
    ("get_download_keys", "/v1/library/downloadkeys"),
    ("get_download_link", "/v1/library/downloadlink"),
    ("get_tests_request", "/v1/analytics/gettests"),
    ("library_book", "/v1/user/library/books/{LibraryItemId}"),
    ("library_items", "/v1/user/library"),
    ("library_metadata", "/v1/library/{Ids}/metadata"),
    ("library_prices", "/v1/user/library/previews/prices"),
    ("library_search", "/v1/library/search"),
    ("library_sync", "/v1/library/sync"),
    ("notebooks", "/api/internal/notebooks"),
    ("notifications_registration_issue", "/v1/notifications/registration"),
    ("personalizedrecommendations", "/v2/users/personalizedrecommendations"),
    ("post_analytics_event", "/v1/analytics/event"),
    ("product_nextread", "/v1/products/{ProductIds}/nextread"),
    ("product_prices", "/v1/products/{ProductIds}/prices"),
    ("product_recommendations", "/v1/products/{ProductId}/recommendations"),
    ("product_reviews", "/v1/products/{ProductIds}/reviews"),
    ("products", "/v1/products"),
    ("productsv2", "/v2/products"),
    ("rating", "/v1/products/{ProductId}/rating/{Rating}"),
    ("reading_services_host", ""),
    ("reading_state", "/v1/library/{Ids}/state"),
    ("related_items", "/v1/products/{Id}/related"),
    ("remaining_book_series", "/v1/products/books/series/{SeriesId}"),
    ("rename_tag", "/v1/library/tags/{TagId}"),
    ("review", "/v1/products/reviews/{ReviewId}"),
    ("review_sentiment", "/v1/products/reviews/{ReviewId}/sentiment/{Sentiment}"),
    ("shelfie_recommendations", "/v1/user/recommendations/shelfie"),
    ("tag_items", "/v1/library/tags/{TagId}/Items"),
    ("tags", "/v1/library/tags"),
    ("taste_profile", "/v1/products/tasteprofile"),
    ("update_accessibility_to_preview", "/v1/library/{EntitlementIds}/preview"),
    ("user_loyalty_benefits", "/v1/user/loyalty/benefits"),
    ("user_platform", "/v1/user/platform"),
    ("user_profile", "/v1/user/profile"),
    ("user_ratings", "/v1/user/ratings"),
    ("user_recommendations", "/v1/user/recommendations"),
    ("user_reviews", "/v1/user/reviews"),
    ("user_wishlist", "/v1/user/wishlist"),
    ("image_host", ""),
    ("image_url_template", "/v1/books/{ImageId}/thumbnail/{Width}/{Height}/false/image.jpg"),
    ("image_url_quality_template", "/v1/books/{ImageId}/thumbnail/{Width}/{Height}/{Quality}/{IsGreyscale}/image.jpg"),
];

/// What the shop has, and this node has not.
const OFF: &[&str] = &[
    "gpb_flow_enabled",
    "kobo_audiobooks_credit_redemption",
    "kobo_audiobooks_enabled",
    "kobo_audiobooks_orange_deal_enabled",
    "kobo_audiobooks_subscriptions_enabled",
    "kobo_display_price",
    "kobo_dropbox_link_account_enabled",
    "kobo_google_tax",
    "kobo_googledrive_link_account_enabled",
    "kobo_nativeborrow_enabled",
    "kobo_onedrive_link_account_enabled",
    "kobo_onestorelibrary_enabled",
    "kobo_redeem_enabled",
    "kobo_shelfie_enabled",
    "kobo_subscriptions_enabled",
    "kobo_superpoints_enabled",
    "kobo_wishlist_enabled",
];

/// Where everything is.
pub(in crate::facades) async fn initialization(home: Home) -> impl IntoResponse {
    let mut resources: Map<String, Value> =
        PLACES.iter().map(|(name, path)| ((*name).to_owned(), home.at(path).into())).collect();
    resources.extend(OFF.iter().map(|name| ((*name).to_owned(), "False".into())));
    resources.insert("use_one_store".to_owned(), "True".into());
    ([("x-kobo-apitoken", "e30=")], Answer(json!({"Resources": resources})))
}

/// A token, which opens nothing: the key in the path does. `UserKey` is what the device has of Kobo, and is sent back.
pub(in crate::facades) async fn device(
    Asker(caller): Asker,
    body: Result<Json<Value, BODY_MAX>, Refusal>,
) -> Answer<Value> {
    let told = body.map(|Json(body)| body["UserKey"].as_str().map(str::to_owned)).ok().flatten();
    let user_key: String = told.unwrap_or_default().chars().take(USER_KEY_MAX).collect();
    Answer(json!({
        "AccessToken": "potluck",
        "RefreshToken": "potluck",
        "TokenType": "Bearer",
        "TrackingId": caller.id(),
        "UserKey": user_key,
    }))
}

/// What a shop would offer.
pub(in crate::facades) async fn nothing() -> Answer<Value> {
    Answer(json!({}))
}

/// Notes of other devices, of which there are none. Newer devices ask for them before they open a book, some by the host alone, and
/// forget the place within the chapter where nobody answers.
pub(in crate::facades) async fn no_changes() -> Answer<[(); 0]> {
    Answer([])
}
