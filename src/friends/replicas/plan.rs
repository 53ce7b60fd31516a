//! Decides what is fetched and what is removed. Pure: who calls has read the catalog and looked at the disk, and acts on the
//! answer.
//!
//! Nothing is removed that was not made by a rule, that its friend does not offer any more, or that a rule still wants.
use std::collections::{HashMap, HashSet};

use crate::catalog::Id;
use crate::catalog::replicas::{Kept, Offered, Replica, ReplicaPolicy};
use crate::content::Cid;

/// A file that was made by a rule, and what the disk says of it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub kept: Kept,
    /// It is at its place; or its disk is away, so that nobody can tell.
    pub there: bool,
    /// Bytes of it that the disk has, while it is not whole.
    pub part: u64,
}

impl Held {
    fn whole(&self) -> bool {
        self.kept.done && self.there
    }
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Each rule with what its friend offers of it now.
    pub rules: Vec<(Replica, Vec<Offered>)>,
    /// By the friend's item.
    pub held: HashMap<Id, Held>,
}

/// What counts besides.
pub(super) struct Terms<'a> {
    /// Bytes that all together may have.
    pub quota: Option<u64>,
    /// What was watched before (Unix milliseconds) may go.
    pub watched_before: i64,
    /// Whether a friend's copy of a file goes before ours, where there are more than are wanted: see [`Terms::keeps`].
    pub before_us: &'a dyn Fn(&Id, &Cid) -> bool,
    /// Whether all is known that a friend offers now.
    pub synced: &'a dyn Fn(&Id) -> bool,
}

/// How far a rule is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Items that it wants.
    pub items: u64,
    /// Of them, those that are here whole.
    pub items_done: u64,
    /// Bytes of those that it wants.
    pub bytes: u64,
    /// Bytes of those that are here whole.
    pub bytes_done: u64,
    /// Items that the quota has no room for.
    pub over_quota: u64,
}

/// An item to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    /// The rule that wants it.
    pub replica: Id,
    /// The friend's item.
    pub item: Id,
    pub cid: Cid,
    pub size: u64,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In this order: what was begun comes first.
    pub fetch: Vec<Next>,
    /// Files that no rule wants any more.
    pub remove: Vec<Kept>,
    /// By rule.
    pub shares: HashMap<Id, Share>,
    /// Bytes of what is here and of what was begun.
    pub used: u64,
}

impl Terms<'_> {
    /// Whether a rule wants an item here.
    fn wants(&self, rule: &Replica, offered: &Offered, held: Option<&Held>) -> bool {
        let whole = held.is_some_and(Held::whole);
        match &rule.policy {
            ReplicaPolicy::Everything => true,
            ReplicaPolicy::Unwatched(_) => offered.watched_at.is_none_or(|at| whole && at >= self.watched_before),
            ReplicaPolicy::Copies(copies) if whole => self.keeps(rule, offered, *copies as usize),
            ReplicaPolicy::Copies(copies) => offered.holders.len() < *copies as usize,
        }
    }

    /// Whether ours is among the first copies of a file, in an order that is the same on every node: the owner's, then by a digest
    /// of key and content. The first `copies` in it never go, whoever knows of whom; so two nodes cannot both give way to
    /// each other.
    fn keeps(&self, rule: &Replica, offered: &Offered, copies: usize) -> bool {
        let before = |holder: &&Id| **holder == rule.friend || (self.before_us)(holder, &offered.cid);
        offered.holders.iter().filter(before).count() < copies
    }
}

impl Plan {
    pub fn of(view: &View, terms: &Terms<'_>) -> Self {
        let mut plan = Self { used: used(view), ..Self::default() };
        let wanted: Vec<(&Replica, &Offered)> = wanted(view, terms);
        let mut room = terms.quota.map(|quota| quota.saturating_sub(plan.used));
        let whole: HashSet<Cid> = view.held.values().filter(|held| held.whole()).map(|held| held.kept.cid).collect();
        let mut asked = HashSet::new();
        for (rule, _) in &view.rules {
            plan.shares.insert(rule.id.clone(), Share::default());
        }
        for begun in [true, false] {
            for (rule, offered) in &wanted {
                let held = view.held.get(&offered.item);
                if held.is_some_and(|held| !held.kept.done) == begun {
                    let done = offered.own || whole.contains(&offered.cid);
                    let next = !done && !rule.paused && asked.insert(offered.cid);
                    let fits = !next || plan.take(rule, offered, held, &mut room);
                    plan.shares.entry(rule.id.clone()).or_default().count(offered.size, done, fits);
                }
            }
        }
        plan.remove = unwanted(view, terms, &wanted);
        plan
    }

    /// Puts an item on the list, if there is room for it.
    fn take(&mut self, rule: &Replica, offered: &Offered, held: Option<&Held>, room: &mut Option<u64>) -> bool {
        let counted = held.filter(|held| counts(held)).map_or(0, |held| held.kept.size);
        let more = offered.size.saturating_sub(counted);
        if let Some(room) = room {
            let Some(left) = room.checked_sub(more) else { return false };
            *room = left;
        }
        let (replica, item) = (rule.id.clone(), offered.item.clone());
        self.fetch.push(Next { replica, item, cid: offered.cid, size: offered.size });
        true
    }
}

impl Share {
    fn count(&mut self, size: u64, done: bool, fits: bool) {
        self.items += 1;
        self.bytes += size;
        self.over_quota += u64::from(!fits);
        if done {
            self.items_done += 1;
            self.bytes_done += size;
        }
    }
}

fn counts(held: &Held) -> bool {
    held.whole() || !held.kept.done
}

fn used(view: &View) -> u64 {
    view.held.values().filter(|held| counts(held)).map(|held| held.kept.size).sum()
}

fn wanted<'a>(view: &'a View, terms: &Terms<'_>) -> Vec<(&'a Replica, &'a Offered)> {
    let all = view.rules.iter().flat_map(|(rule, offers)| offers.iter().map(move |offered| (rule, offered)));
    all.filter(|(rule, offered)| terms.wants(rule, offered, view.held.get(&offered.item))).collect()
}

/// What was made by rules and is wanted by none, although it is offered; and the beginnings of what is not offered any more.
fn unwanted(view: &View, terms: &Terms<'_>, wanted: &[(&Replica, &Offered)]) -> Vec<Kept> {
    let items: HashSet<&Id> = wanted.iter().map(|(_, offered)| &offered.item).collect();
    let cids: HashSet<&Cid> = wanted.iter().map(|(_, offered)| &offered.cid).collect();
    let offers = |active: bool| {
        let rules = view.rules.iter().filter(move |(rule, _)| !active || !rule.paused);
        rules.flat_map(|(_, offers)| offers).map(|offered| &offered.item).collect::<HashSet<&Id>>()
    };
    let (offered, active) = (offers(false), offers(true));
    let taken_back = |held: &Held| {
        let rule = view.rules.iter().map(|(rule, _)| rule).find(|rule| rule.id == held.kept.replica);
        rule.is_some_and(|rule| !rule.paused && (terms.synced)(&rule.friend))
    };
    let gone = view.held.values().filter(|held| {
        let kept = &held.kept;
        match offered.contains(&kept.item) {
            true => active.contains(&kept.item) && !items.contains(&kept.item) && !cids.contains(&kept.cid),
            // What is whole outlives the friend's.
            false => !kept.done && taken_back(held),
        }
    });
    gone.map(|held| held.kept.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::catalog::LibraryState;
    use crate::catalog::replicas::ReplicaScope;
    use crate::content::cid::of_raw;

    fn rule(id: &str, policy: ReplicaPolicy) -> Replica {
        Replica {
            id: id.to_owned(),
            friend: "owner".to_owned(),
            scope: ReplicaScope::Library,
            target: "films".to_owned(),
            title: "Films".to_owned(),
            policy,
            paused: false,
            created_at: 0,
        }
    }

    fn offered(item: &str, size: u64) -> Offered {
        let cid = of_raw(item.as_bytes());
        Offered { item: item.to_owned(), cid, size, watched_at: None, holders: vec!["owner".to_owned()], own: false }
    }

    fn held(item: &str, size: u64, done: bool) -> (Id, Held) {
        let kept = Kept {
            item: item.to_owned(),
            replica: "rule".to_owned(),
            library: "replicas".to_owned(),
            root: PathBuf::from("/replicas"),
            library_state: LibraryState::Available,
            place: PathBuf::from(item),
            cid: of_raw(item.as_bytes()),
            size,
            done,
            described: None,
        };
        (item.to_owned(), Held { kept, there: true, part: 0 })
    }

    fn view(rules: Vec<(Replica, Vec<Offered>)>, held: impl IntoIterator<Item = (Id, Held)>) -> View {
        View { rules, held: held.into_iter().collect() }
    }

    fn plan(view: &View, quota: Option<u64>) -> Plan {
        Plan::of(view, &Terms { quota, watched_before: 100, before_us: &|_, _| false, synced: &|_| true })
    }

    fn items(plan: &Plan) -> Vec<&str> {
        plan.fetch.iter().map(|next| next.item.as_str()).collect()
    }

    fn gone(plan: &Plan) -> Vec<&str> {
        plan.remove.iter().map(|kept| kept.item.as_str()).collect()
    }

    #[test]
    fn what_was_begun_is_ended_first_and_what_is_here_is_left_alone() {
        let offers = vec![offered("a", 1), offered("b", 1), offered("c", 1)];
        let view =
            view(vec![(rule("rule", ReplicaPolicy::Everything), offers)], [held("b", 1, false), held("c", 1, true)]);
        let plan = plan(&view, None);
        assert_eq!((items(&plan), gone(&plan)), (vec!["b", "a"], vec![]));
        assert_eq!(plan.shares["rule"], Share { items: 3, items_done: 1, bytes: 3, bytes_done: 1, over_quota: 0 });
    }

    #[test]
    fn a_quota_that_is_full_lets_nothing_in_that_does_not_fit_and_puts_nothing_out() {
        let offers = vec![offered("a", 50), offered("b", 30), offered("c", 10), offered("d", 40)];
        let view = view(vec![(rule("rule", ReplicaPolicy::Everything), offers)], [held("d", 40, true)]);
        for (quota, fetched, over) in
            [(None, vec!["a", "b", "c"], 0), (Some(80), vec!["b", "c"], 1), (Some(20), vec![], 3)]
        {
            let plan = plan(&view, quota);
            assert_eq!((items(&plan), plan.shares["rule"].over_quota), (fetched, over));
            assert!(plan.remove.is_empty());
        }
    }

    #[test]
    fn what_the_friend_took_back_stays_and_its_beginnings_do_not() {
        let view = view(
            vec![(rule("rule", ReplicaPolicy::Everything), Vec::new())],
            [held("a", 1, true), held("b", 1, false)],
        );
        assert_eq!(gone(&plan(&view, None)), ["b"]);
        let unsure = Terms { quota: None, watched_before: 0, before_us: &|_, _| false, synced: &|_| false };
        assert!(Plan::of(&view, &unsure).remove.is_empty(), "not while the friend is away");
    }

    #[test]
    fn what_was_watched_goes_after_a_while_unless_another_rule_wants_it() {
        let mut watched = offered("old", 1);
        watched.watched_at = Some(99);
        let mut lately = offered("new", 1);
        lately.watched_at = Some(100);
        let offers = vec![watched, lately, offered("never", 1)];
        let mut rules = vec![(rule("rule", ReplicaPolicy::Unwatched("ann".to_owned())), offers.clone())];
        let kept = [held("old", 1, true), held("new", 1, true)];
        let unwatched = plan(&view(rules.clone(), kept.clone()), None);
        assert_eq!((items(&unwatched), gone(&unwatched)), (vec!["never"], vec!["old"]));
        let none = plan(&view(rules.clone(), []), None);
        assert_eq!(items(&none), ["never"], "what was watched is not fetched at all");
        rules[0].0.paused = true;
        let paused = plan(&view(rules.clone(), kept.clone()), None);
        assert_eq!((items(&paused), gone(&paused)), (vec![], vec![]));
        rules[0].0.paused = false;
        rules.push((rule("all", ReplicaPolicy::Everything), offers));
        assert!(gone(&plan(&view(rules, kept), None)).is_empty());
    }

    #[test]
    fn an_edited_file_is_fetched_and_the_old_one_is_not_removed_by_that() {
        let mut edited = offered("a", 7);
        edited.cid = of_raw(b"edited");
        let view = view(vec![(rule("rule", ReplicaPolicy::Everything), vec![edited])], [held("a", 5, true)]);
        let plan = plan(&view, Some(7));
        assert_eq!((items(&plan), gone(&plan)), (vec!["a"], vec![]));
    }

    /// Nodes that all keep a copy of the same film by `copies`, and what each would do. `knows` says who knows of whom.
    fn surplus(nodes: &[u8], copies: u32, knows: impl Fn(u8, u8) -> bool) -> Vec<u8> {
        let keeps = |me: &&u8| {
            let mut film = offered("a", 1);
            film.holders.extend(nodes.iter().filter(|other| *other != *me && knows(**me, **other)).map(u8::to_string));
            let view = view(vec![(rule("rule", ReplicaPolicy::Copies(copies)), vec![film])], [held("a", 1, true)]);
            let before = |holder: &Id, _: &Cid| holder.parse::<u8>().is_ok_and(|other| other < **me);
            let terms = Terms { quota: None, watched_before: 0, before_us: &before, synced: &|_| true };
            Plan::of(&view, &terms).remove.is_empty()
        };
        nodes.iter().filter(keeps).copied().collect()
    }

    #[test]
    fn of_too_many_copies_those_go_that_are_too_many_and_never_all() {
        assert_eq!(surplus(&[1, 2, 3, 4], 3, |_, _| true), [1, 2], "with the owner's, that is three");
        assert_eq!(surplus(&[1, 2], 3, |_, _| true), [1, 2]);
        assert_eq!(surplus(&[1, 2], 2, |_, _| true), [1], "two that see each other do not both go");
        // Whoever knows of whom, enough are left.
        for seed in 0..512u32 {
            let knows = |one: u8, other: u8| seed >> (u32::from(one * 3 + other) % 9) & 1 == 1;
            for copies in 1..=4 {
                let left = surplus(&[0, 1, 2], copies, knows).len() + 1;
                assert!(left >= (copies as usize).min(4), "{seed}: {left} of {copies}");
            }
        }
    }

    #[test]
    fn copies_are_fetched_only_while_there_are_too_few() {
        let mut film = offered("a", 1);
        film.holders.push("other".to_owned());
        for (copies, fetched) in [(1, 0), (2, 0), (3, 1)] {
            let view = view(vec![(rule("rule", ReplicaPolicy::Copies(copies)), vec![film.clone()])], []);
            assert_eq!(plan(&view, None).fetch.len(), fetched, "{copies}");
        }
    }
}
