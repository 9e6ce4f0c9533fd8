//! The pure parts of `make fleet`, whose figures a README stands on. The bench itself has no test harness, so that
//! is tested here.

#[path = "../../benches/fleet/cache.rs"]
mod cache;
#[path = "../../benches/fleet/developer.rs"]
mod developer;
#[path = "../../benches/fleet/engine.rs"]
mod engine;
#[path = "../../benches/fleet/events.rs"]
mod events;
#[path = "../../benches/fleet/figures.rs"]
mod figures;
#[path = "../../benches/fleet/latencies.rs"]
mod latencies;
#[path = "../../benches/fleet/random.rs"]
mod random;
#[path = "../../benches/fleet/ring.rs"]
mod ring;
#[path = "../../benches/fleet/router.rs"]
mod router;
#[path = "../../benches/fleet/search.rs"]
mod search;
#[path = "../../benches/fleet/simulation.rs"]
mod simulation;

use cache::{Cache, Text};
use developer::Habits;
use engine::{Costs, Engine, Job};
use events::Events;
use figures::Figures;
use latencies::Latencies;
use random::Random;
use ring::Ring;
use router::{Gateway, Router};
use simulation::Plan;

/// A step takes 1 ms, whatever is in it.
fn plain(slots: usize) -> Costs {
    Costs {
        step_ms: vec![(1.0, 1.0)],
        slots,
        chunk_tokens: 1_000,
        cache_tokens: 100_000,
        block_tokens: 1,
    }
}

fn text(window: u32, tokens: u32) -> Text {
    Text { window, anchor: 0, head: 50, tokens }
}

fn job(id: u64, tokens: u32, write: u32) -> Job {
    Job { id, place: id as u32, text: text(1, tokens), write }
}

/// Steps until the engine has nothing to do: what ended after which of them.
fn work(engine: &mut Engine, costs: &Costs) -> Vec<(u32, u64)> {
    let (mut all, mut ended) = (Vec::new(), Vec::new());
    for step in 1.. {
        if engine.begin(costs).is_none() {
            break;
        }
        engine.end(&mut ended);
        all.extend(ended.drain(..).map(|id| (step, id)));
    }
    all
}

fn habits() -> Habits {
    built_in().habits().unwrap()
}

fn built_in() -> Figures {
    Figures::read(figures::BUILT_IN).unwrap()
}

fn plan(router: Router, developers: u32, engines: usize) -> Plan {
    let costs = built_in().costs("gpu").unwrap();
    let full = costs.slots as u32;
    Plan {
        habits: habits(),
        costs,
        developers,
        engines,
        router,
        full,
        seed: 7,
        warm_up_ms: 60_000.0,
        length_ms: 120_000.0,
    }
}

#[test]
fn an_engine_with_one_slot_is_the_queue_of_the_textbooks() {
    // One that comes every 100 ms and takes 60, both exponential (M/M/1): 60 / (1 - 0.6) = 150 ms in the mean.
    let (costs, mut random) = (plain(1), Random::new(3, 0));
    let mut engine = Engine::new(&costs);
    let mut events = Events::new();
    let mut came = Vec::new();
    let (mut sum, mut ended, mut count) = (0.0, Vec::new(), 0.0);
    events.push(0.0, true);
    while let Some((ms, is_arrival)) = events.pop() {
        if is_arrival {
            engine.take(job(came.len() as u64, 1, random.geometric(60.0, u32::MAX)));
            came.push(ms);
            if came.len() < 100_000 {
                events.push(ms + random.exponential(100.0), true);
            }
        } else {
            engine.end(&mut ended);
            for id in ended.drain(..) {
                sum += ms - came[id as usize];
                count += 1.0;
            }
        }
        if let Some(step) = engine.begin(&costs) {
            events.push(ms + step, false);
        }
    }
    let mean = sum / count;
    assert!((mean - 150.0).abs() < 7.5, "{mean}");
    let busy = engine.tally.busy_ms / came[came.len() - 1];
    assert!((busy - 0.6).abs() < 0.02, "{busy}");
}

#[test]
fn a_fleet_without_a_queue_answers_in_the_time_of_its_steps() {
    let mut plan = plan(Router::ByPrefix, 20, 20);
    plan.costs = plain(1_000);
    plan.habits = Habits { write_tokens: 1.0, network_ms: 4.0, ahead_share: 0.0, ..habits() };
    let outcome = simulation::run(&plan);
    // There, a step, and back; sometimes the step before is still under way.
    assert_eq!(outcome.p50_ms, Some(9.5));
    assert_eq!(outcome.written_tokens, 1.0);
    assert!(outcome.is_within(20.0) && !outcome.is_within(5.0), "{outcome:?}");
}

#[test]
fn what_was_used_longest_ago_is_thrown_out_first() {
    let mut cache = Cache::new(30);
    for place in 1..=3 {
        cache.hold(place, text(place, 10));
    }
    assert!(cache.find(1).is_some(), "it is the newest now");
    cache.hold(4, text(4, 5));
    assert_eq!(cache.find(2), None);
    assert_eq!([1, 3, 4].map(|place| cache.find(place).is_some()), [true; 3]);
    cache.hold(1, text(9, 20));
    assert_eq!(cache.find(3), None, "a larger one takes another's room");
    cache.hold(5, text(5, 31));
    assert_eq!(cache.find(5), None, "what does not fit is not kept, and drives nobody out");
    assert_eq!([1, 4].map(|place| cache.find(place).is_some()), [true; 2]);
}

#[test]
fn a_cache_never_holds_more_than_fits_and_forgets_in_order() {
    let mut random = Random::new(5, 0);
    let (mut cache, mut model) = (Cache::new(100), Vec::<(u32, Text)>::new());
    for _ in 0..20_000 {
        let place = random.geometric(6.0, 30);
        let at = model.iter().position(|(known, _)| *known == place);
        let known = at.map(|at| model.remove(at));
        if random.chance(0.5) {
            assert_eq!(cache.find(place), known.map(|(_, text)| text));
            model.extend(known);
        } else {
            let text = text(1, random.geometric(15.0, 60));
            cache.hold(place, text);
            model.push((place, text));
            while model.iter().map(|(_, text)| text.tokens).sum::<u32>() > 100 {
                model.remove(0);
            }
        }
    }
}

#[test]
fn a_prompt_shares_what_stands_before_the_first_change() {
    let held = Text { window: 1, anchor: 2, head: 500, tokens: 1_000 };
    let common = |asked: Text, block| asked.common(held, block);
    assert_eq!(common(Text { tokens: 1_008, ..held }, 1), 1_000, "typing appends");
    assert_eq!(common(Text { tokens: 1_008, ..held }, 16), 992, "whole blocks");
    assert_eq!(common(held, 1), 999, "the last token is always read");
    assert_eq!(common(Text { anchor: 3, ..held }, 16), 496, "the head stays");
    assert_eq!(common(Text { window: 2, ..held }, 1), 0);
}

#[test]
fn sequences_share_steps_and_wait_for_slots() {
    let costs = Costs { step_ms: vec![(1.0, 10.0), (4.0, 40.0)], ..plain(2) };
    assert_eq!([1, 2, 4, 6].map(|tokens| costs.step(tokens)), [10.0, 20.0, 40.0, 60.0]);
    let mut engine = Engine::new(&costs);
    (1..=3).for_each(|id| engine.take(job(id, 4, 2 + id as u32)));
    assert_eq!(engine.begin(&costs), Some(80.0), "two prompts of 4 tokens");
    assert_eq!(engine.begin(&costs), None, "one step at a time");
    engine.end(&mut Vec::new());
    // The first one has written a token; the third comes when the first has gone.
    assert_eq!(work(&mut engine, &costs), [(2, 1), (3, 2), (7, 3)]);
    assert_eq!((engine.tally.written, engine.tally.evaluated), (12, 12));
}

#[test]
fn a_long_prompt_is_read_in_pieces_and_kept() {
    let costs = Costs { chunk_tokens: 4, ..plain(2) };
    let mut engine = Engine::new(&costs);
    engine.take(job(1, 10, 1));
    assert_eq!(work(&mut engine, &costs), [(3, 1)]);
    engine.take(Job { id: 2, ..job(1, 12, 1) });
    assert_eq!(work(&mut engine, &costs), [(1, 2)]);
    assert_eq!((engine.tally.prompt, engine.tally.reused, engine.tally.evaluated), (22, 10, 12));
}

#[test]
fn a_job_that_is_not_wanted_leaves_its_slot_and_what_it_has_read() {
    let costs = Costs { chunk_tokens: 4, ..plain(1) };
    let mut engine = Engine::new(&costs);
    (1..=3).for_each(|id| engine.take(job(id, 10, 5)));
    assert!(engine.begin(&costs).is_some());
    assert!(engine.forget(1) && engine.forget(2) && !engine.forget(9));
    engine.end(&mut Vec::new());
    engine.take(Job { id: 4, ..job(1, 10, 1) });
    assert_eq!(work(&mut engine, &costs), [(7, 3), (9, 4)], "the second never began");
    assert_eq!(engine.tally.reused, 4, "of the first, what was read");
}

#[test]
fn a_request_that_the_next_key_supersedes_is_dropped() {
    let with_steps_of = |ms: f64| {
        let mut plan = plan(Router::ByPrefix, 30, 30);
        plan.costs = Costs { step_ms: vec![(1.0, ms)], ..plain(8) };
        plan.habits = Habits { write_tokens: 20.0, ahead_share: 0.0, ..habits() };
        simulation::run(&plan)
    };
    let (fast, slow) = (with_steps_of(0.1), with_steps_of(100.0));
    assert!(fast.superseded < 0.01, "{fast:?}");
    assert!(slow.superseded > 0.9, "{slow:?}");
    assert!((fast.written_tokens - 18.0).abs() < 2.0, "{fast:?}");
    assert!(slow.written_tokens < 5.0, "the engine does not go on for nobody: {slow:?}");
    assert!(slow.asked_a_minute > 2.0 * fast.asked_a_minute, "each key asks again: {slow:?}");
    assert!(!slow.is_within(1_000.0), "although the few that are answered are the quick ones");
}

#[test]
fn waits_that_were_cut_short_are_reckoned_in() {
    // Half of the answers come too late for a person who waits as long as they take: of those that came, half
    // took 35 ms; of all, 69.
    let (mut latencies, mut random) = (Latencies::new(), Random::new(1, 0));
    for _ in 0..200_000 {
        let (answer, patience) = (random.exponential(100.0), random.exponential(100.0));
        if answer < patience { latencies.answered(answer) } else { latencies.superseded(patience) }
    }
    let p50 = latencies.quantile(0.5).unwrap();
    assert!((p50 - 69.3).abs() < 3.0, "{p50}");
    assert!((latencies.superseded_share() - 0.5).abs() < 0.01);
    let mut never = Latencies::new();
    (0..100).for_each(|_| never.superseded(50.0));
    never.answered(10.0);
    assert_eq!(never.quantile(0.95), None);
    assert_eq!(Latencies::new().quantile(0.5), None);
}

#[test]
fn one_more_engine_takes_only_its_share_of_the_developers() {
    let own = |engines: usize| {
        let ring = Ring::new(engines);
        move |developer: u64| ring.from(developer).next().unwrap()
    };
    let (ten, eleven) = (own(10), own(11));
    let moved: Vec<usize> = (0..20_000).filter(|d| ten(*d) != eleven(*d)).map(&eleven).collect();
    assert!(moved.iter().all(|engine| *engine == 10), "nobody moves between the others");
    let share = moved.len() as f64 / 20_000.0 * 11.0;
    assert!((0.7..1.3).contains(&share), "{share}");
    let mut counts = [0; 10];
    (0..20_000).for_each(|d| counts[ten(d)] += 1);
    assert!(counts.iter().all(|count| (1_200..2_800).contains(count)), "{counts:?}");
}

#[test]
fn a_developer_stays_at_his_engine_until_it_is_full() {
    let mut gateway = Gateway::new(Router::ByPrefix, 8, 2);
    let own = gateway.choose(5);
    assert_eq!(gateway.choose(5), own);
    let other = gateway.choose(5);
    assert_ne!(other, own);
    gateway.left(own);
    assert_eq!(gateway.choose(5), own, "and comes home");
    let mut single = Gateway::new(Router::ByPrefix, 1, 1);
    assert_eq!([single.choose(1), single.choose(2)], [0, 0], "where all are full it is his own");
}

#[test]
fn the_other_routers_do_what_their_names_say() {
    let mut round = Gateway::new(Router::RoundRobin, 3, 1);
    assert_eq!([1, 1, 1, 1].map(|developer| round.choose(developer)), [0, 1, 2, 0]);
    let mut least = Gateway::new(Router::LeastLoaded, 3, 1);
    assert_eq!([1, 1, 1, 1].map(|developer| least.choose(developer)), [0, 1, 2, 0]);
    least.left(1);
    least.left(2);
    assert_eq!([1, 1, 1].map(|developer| least.choose(developer)), [1, 2, 1]);
    assert_eq!(Router::ALL.map(Router::name), ["round-robin", "least-loaded", "by-prefix"]);
}

#[test]
fn the_same_seed_is_the_same_team() {
    for router in Router::ALL {
        let plan = plan(router, 60, 3);
        let outcome = simulation::run(&plan);
        assert_eq!(outcome, simulation::run(&plan));
        assert_ne!(outcome, simulation::run(&Plan { seed: 8, ..plan }));
    }
}

#[test]
fn where_caches_are_smaller_than_the_team_it_pays_to_stay() {
    let [round, least, prefix] =
        Router::ALL.map(|router| simulation::run(&plan(router, 2_000, 40)));
    assert!(prefix.hits > 0.9, "{prefix:?}");
    assert!(round.hits < 0.3 && least.hits < 0.3, "{round:?} {least:?}");
    assert!(prefix.p95_ms.unwrap() < least.p95_ms.unwrap_or(f64::MAX));
    assert!(prefix.read_tokens < 0.2 * least.read_tokens);
}

#[test]
fn requests_and_tokens_are_those_of_the_habits() {
    let mut plan = plan(Router::ByPrefix, 400, 400);
    plan.costs = Costs { step_ms: vec![(1.0, 0.01)], ..plain(1_000) };
    plan.length_ms = 1e6;
    let habits = Habits { write_tokens: 10.0, write_most: 1_000, again_share: 0.0, ..habits() };
    plan.habits = Habits { ahead_share: 0.0, anchor_tokens: 1_000_000, ..habits };
    let outcome = simulation::run(&plan);
    // One where a burst begins, and 14 % of the 39 keys after that, every 27 s.
    let expected = (1.0 + 39.0 * 0.14) / plan.habits.cycle_ms() * 60_000.0;
    let error = outcome.asked_a_minute / expected;
    assert!((0.97..1.03).contains(&error), "{outcome:?} {expected}");
    assert!((outcome.written_tokens - 10.0).abs() < 0.3, "{outcome:?}");
    assert_eq!(outcome.requests_a_minute, outcome.asked_a_minute, "nothing in the background");
}

#[test]
fn the_least_number_is_found_from_wherever_one_begins() {
    for wanted in 1..=90 {
        for start in [1, 2, 7, 50, 90, 300] {
            let mut runs = 0;
            let found = search::least(start, 1_000, |number| {
                runs += 1;
                number >= wanted
            });
            assert_eq!(found, Some(wanted), "from {start}");
            assert!(runs < 24, "{runs}");
        }
    }
    let found = search::least(1, 1_000_000, |number| number >= 77_777).unwrap();
    assert!((77_777..=79_400).contains(&found), "{found}");
    assert_eq!(search::least(3, 10, |_| false), None);
    assert_eq!(search::least(9, 1, |_| true), Some(1));
}

#[test]
fn events_come_in_order_and_those_of_one_moment_as_they_were_put_in() {
    let mut events = Events::new();
    for (ms, what) in [(3.0, 'c'), (1.0, 'a'), (3.0, 'd'), (2.0, 'b')] {
        events.push(ms, what);
    }
    let order: String = std::iter::from_fn(|| events.pop()).map(|(_, what)| what).collect();
    assert_eq!(order, "abcd");
}

#[test]
fn chance_has_the_means_that_it_was_asked_for() {
    let mut random = Random::new(1, 2);
    let mut mean = |of: &mut dyn FnMut(&mut Random) -> f64| {
        (0..100_000).map(|_| of(&mut random)).sum::<f64>() / 100_000.0
    };
    let is_near = |value: f64, wanted: f64| (value / wanted - 1.0).abs() < 0.02;
    assert!(is_near(mean(&mut |r| r.exponential(50.0)), 50.0));
    assert!(is_near(mean(&mut |r| r.log_normal(181.0, 0.35)), 181.0));
    assert!(is_near(mean(&mut |r| f64::from(r.geometric(10.0, u32::MAX))), 10.0));
    assert!(is_near(mean(&mut |r| f64::from(u8::from(r.chance(0.3)))), 0.3));
    assert_eq!(mean(&mut |r| f64::from(r.geometric(1.0, 9))), 1.0);
    assert!(mean(&mut |r| f64::from(r.geometric(100.0, 3))) <= 3.0);
}

#[test]
fn the_figures_of_the_repository_are_whole_and_say_what_nobody_measured() {
    let figures = built_in();
    assert!(figures.habits().is_ok());
    assert!(figures.about("gpu").contains("not a measurement"));
    let names = |engine| -> Vec<String> {
        figures.assumed(engine).into_iter().map(|(name, _)| name).collect()
    };
    assert!(names("gpu").contains(&"engine.gpu.step_ms".to_owned()));
    assert!(!names("cpu").iter().any(|name| name.starts_with("engine.")), "measured or computed");
    assert!(names("cpu").contains(&"developer.pause_ms".to_owned()));
}

#[test]
fn figures_that_make_no_sense_are_refused_by_name() {
    let check = |from: &str, to: &str, said: &str| {
        let text = figures::BUILT_IN.replacen(from, to, 1);
        assert_ne!(text, figures::BUILT_IN, "{from}");
        let read = Figures::read(&text);
        let error = read
            .and_then(|figures| figures.habits().and_then(|_| figures.costs("cpu")))
            .expect_err(to);
        assert!(error.contains(said), "{error}");
    };
    check(
        "model_share = { value = 0.14",
        "model_share = { value = 14",
        "developer.model_share is 14",
    );
    check("pause_ms = {", "paws_ms = {", "developer.pause_ms is missing");
    check(
        "[engine.cpu]",
        "more = { value = 1, from = \"assumed\", by = \"\" }\n[engine.cpu]",
        "nothing reads",
    );
    check("new_share = { value = 0.25", "new_share = { value = 0.9", "more than 1 together");
    check("[[1, 11.0], [4, 33.6]", "[[4, 33.6], [1, 11.0]", "engine.cpu.step_ms");
    check("slots = { value = 1,", "slots = { value = 0,", "engine.cpu.slots is 0");
    check("from = \"computed\"", "from = \"guessed\"", "guessed");
    check("[engine.cpu]", "[engine.metal]", "there are gpu, metal");
}
