use super::{set::WAYS, *};
use std::{cell::Cell, collections::HashMap, time::Duration};

const SECOND: Nanos = 1_000_000_000;
const START: Nanos = 1 << 50;

/// Keys that are the same in every run.
fn key(number: u64) -> SlotKey {
    let mut hash = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for factor in [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB] {
        hash = (hash ^ (hash >> 31)).wrapping_mul(factor);
    }
    SlotKey::new(hash ^ (hash >> 29))
}

/// By one clock that does not lag.
fn take(slots: &Slots, number: u64, tokens: u32, now: Nanos) -> Result<(), Lack> {
    slots.take(key(number), tokens, || now, || now)
}

fn slots(limit: u32, burst: u32, max_keys: u32) -> Slots {
    Slots { max_keys, ..Slots::new(Rate::per_second(limit), burst, 0) }
}

fn evicted(slots: &Slots) -> u64 {
    slots.counts(START).1
}

/// A bucket of whole fractions of a token.
struct Exact {
    tokens: u128,
    last: Nanos,
}

impl Exact {
    fn admits(&mut self, limit: u32, burst: u32, tokens: u32, now: Nanos) -> bool {
        let gained = u128::from(now - self.last) * u128::from(limit);
        self.tokens = (self.tokens + gained).min(u128::from(burst) * u128::from(SECOND));
        self.last = now;
        let cost = u128::from(tokens) * u128::from(SECOND);
        let is_enough = self.tokens >= cost;
        if is_enough {
            self.tokens -= cost;
        }
        is_enough
    }
}

#[test]
fn every_key_has_the_bucket_that_it_would_have_alone() {
    for (limit, burst, keys) in [(10, 1, 50), (10, 10, 500), (1000, 3, 500), (1, 7, 20)] {
        let slots = slots(limit, burst, 1000);
        let mut oracle: HashMap<u64, Exact> = HashMap::new();
        let (mut now, mut admitted) = (START, 0);
        for _ in 0..40_000 {
            // Mostly so that a key has gained a few tokens since it last called.
            now += fastrand::u64(0..=2 * SECOND / u64::from(limit) / keys);
            let (number, tokens) = (fastrand::u64(0..keys), fastrand::u32(0..=burst.min(3)));
            let full = Exact { tokens: u128::from(burst) * u128::from(SECOND), last: now };
            let exact = oracle.entry(number).or_insert(full).admits(limit, burst, tokens, now);
            assert_eq!(take(&slots, number, tokens, now).is_ok(), exact, "{limit}/s, {burst}");
            admitted += u32::from(exact);
        }
        let (in_use, evicted) = slots.counts(now);
        assert!((1_000..39_000).contains(&admitted) && in_use > 0 && evicted == 0, "{admitted} {in_use} {evicted}");
    }
}

/// What a lagging clock gives is a hundredth of the burst at most, in any window of time, and it keeps nothing back.
#[test]
fn a_lagging_clock_gives_a_hundredth_more_and_keeps_nothing_back() {
    let tick = 10_000_000;
    for (limit, burst) in [(100, 100), (1000, 1000), (100, 20), (10_000, 100), (3, 1)] {
        let slots = Slots { max_keys: 100, ..Slots::new(Rate::per_second(limit), burst, tick) };
        let mut oracle = Exact { tokens: u128::from(burst) * u128::from(SECOND), last: START };
        let (mut now, mut exact) = (START, 0);
        let mut admitted = Vec::new();
        for step in 0..6_000 {
            let pause = if step % 500 == 0 { 3 * SECOND } else { fastrand::u64(0..=SECOND / u64::from(limit)) };
            now += pause;
            let coarse = now - now % tick;
            if slots.take(key(7), 1, || coarse, || now).is_ok() {
                admitted.push(now);
            }
            exact += usize::from(oracle.admits(limit, burst, 1, now));
            assert!(admitted.len() >= exact, "{limit}/s, {burst}: {} of {exact}", admitted.len());
        }
        let allowed = |from: Nanos, to: Nanos| {
            let gained = u128::from(to - from + tick.min(SECOND / 100)) * u128::from(limit) / u128::from(SECOND);
            u128::from(burst) + gained
        };
        for (first, &from) in admitted.iter().enumerate() {
            for (count, &to) in admitted[first..].iter().enumerate().step_by(7) {
                assert!((count as u128) < allowed(from, to), "{limit}/s, {burst}: {count} in {}", to - from);
            }
        }
    }
}

#[test]
fn the_precise_clock_is_read_only_where_it_could_tell_more() {
    let tick = 10_000_000;
    let (coarse, precise) = (Cell::new(0), Cell::new(0));
    let count = |slots: &Slots, tokens, now| {
        coarse.set(0);
        precise.set(0);
        let read = |clock: &Cell<u32>| {
            clock.set(clock.get() + 1);
            now
        };
        let _ = slots.take(key(1), tokens, || read(&coarse), || read(&precise));
        precise.get()
    };
    let large = Slots { max_keys: 10, ..Slots::new(Rate::per_second(10), 10, tick) };
    assert!(count(&large, 1, START) > 0, "a new key");
    assert_eq!(count(&large, 1, START), 0, "one with a slot");
    assert_eq!(count(&large, 1, START + SECOND), 0, "a full bucket that gains no more than a hundredth");
    assert_eq!(count(&large, 9, START + SECOND), 0, "the rest");
    assert_eq!(count(&large, 1, START + SECOND), 0, "a refusal for longer than the lag");
    assert_eq!(count(&large, 1, START + SECOND + SECOND / 10 - 1), 1, "a refusal that may be due to the lag");
    let small = Slots { max_keys: 10, ..Slots::new(Rate::per_second(1000), 100, tick) };
    count(&small, 100, START);
    assert_eq!(count(&small, 1, START + SECOND), 1, "a bucket that would gain a tenth");
    let brief = Slots { max_keys: 10, ..Slots::new(Rate::per_second(1000), 10, tick) };
    count(&brief, 1, START);
    assert_eq!((count(&brief, 1, START), coarse.get()), (1, 0), "a bucket that fills within the lag");
}

/// rust-peers section 8, no. 8: governor and seatbelt keep every key that ever called.
#[test]
fn a_million_keys_take_no_more_room_than_was_given_and_each_has_its_limit() {
    let slots = slots(1, 3, 10_000);
    let mut now = START;
    for number in 0..1_000_000 {
        let admitted = (0..5).filter(|_| take(&slots, number, 1, now).is_ok()).count();
        assert_eq!(admitted, 3, "{number}");
        // 2000 keys are in use at a time.
        now += SECOND / 500;
        if let Some(earlier) = number.checked_sub(500) {
            let admitted = (0..3).filter(|_| take(&slots, earlier, 1, now).is_ok()).count();
            assert_eq!(admitted, 1, "{earlier}, a second later");
        }
    }
    let (in_use, evicted) = slots.counts(now);
    assert!((1500..=2000).contains(&in_use), "{in_use}");
    assert_eq!(evicted, 0);
    assert_eq!(slots.table().slots().count(), 15_008);
}

#[test]
fn where_all_slots_are_in_use_the_key_that_lacks_least_is_forgiven() {
    let slots = slots(1, 100, 1);
    let room = WAYS as u64;
    for number in 0..room {
        take(&slots, number, 100 - number as u32, START).unwrap();
    }
    assert_eq!((slots.counts(START).0, evicted(&slots)), (WAYS, 0));
    take(&slots, room, 49, START).unwrap();
    take(&slots, room, 1, START).unwrap();
    assert_eq!((slots.counts(START).0, evicted(&slots)), (WAYS, 1));
    let tokens = |number| slots.tokens(key(number), START);
    assert_eq!(tokens(room), 50);
    for number in 0..room {
        let forgiven = number == room - 1;
        assert_eq!(tokens(number), if forgiven { 100 } else { number as u32 }, "{number}");
    }
    // Once a bucket has filled, nobody loses anything.
    take(&slots, room + 1, 1, START + 50 * SECOND).unwrap();
    assert_eq!(evicted(&slots), 1);
}

/// A newcomer's word must not be a number of tokens from that of the key it evicts, and its burst is whole all the same.
#[test]
fn who_takes_the_place_of_a_key_in_use_has_a_whole_burst() {
    let slots = slots(10, 5, 1);
    for number in 0..2 * WAYS as u64 {
        assert_eq!((0..9).filter(|_| take(&slots, number, 1, START).is_ok()).count(), 5, "{number}");
    }
    assert_eq!(evicted(&slots), WAYS as u64);
}

/// Otherwise keys that call now and then would take each other's slots, at the price of a lock each time.
#[test]
fn a_new_key_takes_the_place_of_the_one_that_has_not_called_for_longest() {
    let slots = slots(10, 1, 1);
    for number in 0..WAYS as u64 {
        take(&slots, number, 1, START + number).unwrap();
    }
    take(&slots, 0, 1, START + SECOND).unwrap();
    take(&slots, 50, 1, START + 2 * SECOND).unwrap();
    let is_there = |number| slots.table().set(key(number)).find(key(number)).is_some();
    assert!((0..WAYS as u64).all(|number| is_there(number) == (number != 1)) && is_there(50));
}

/// net-go-infra 8.1, no. 20: a step of the clock shut out a key until the clock had caught up.
#[test]
fn a_clock_that_steps_back_shuts_a_key_out_for_one_filling_at_most() {
    let slots = slots(10, 10, 1);
    let (late, now) = (START + 7200 * SECOND, START);
    for number in 0..WAYS as u64 {
        take(&slots, number, 10, late).unwrap();
    }
    assert_eq!(take(&slots, 0, 1, now), Err(Lack::For(SECOND / 10)));
    take(&slots, 0, 1, now + SECOND / 10).unwrap();
    assert!(take(&slots, 0, 1, now + SECOND / 10).is_err());
    assert_eq!(slots.tokens(key(0), now + 2 * SECOND), 10);
    // A key that finds its set full anchors all of it: what is not asked for any more leaves in time too.
    take(&slots, 100, 1, now).unwrap();
    assert_eq!(evicted(&slots), 1);
    let later = now + 3 * SECOND / 2;
    assert_eq!(slots.counts(later).0, 0);
    for number in 101..101 + WAYS as u64 {
        take(&slots, number, 10, later).unwrap();
    }
    assert_eq!(evicted(&slots), 1);
}

/// A call that had read the clock, and then had to wait for its processor while others took what had come meanwhile, found
/// the bucket too far ahead, anchored it anew and so gave out what had been taken.
#[test]
fn a_call_that_is_held_up_takes_no_clock_to_have_stepped_back() {
    let slots = slots(1000, 100, 10);
    take(&slots, 1, 100, START).unwrap();
    let later = START + SECOND / 20;
    let reads = Cell::new(0);
    let held_up = || {
        reads.set(reads.get() + 1);
        if reads.get() > 1 {
            return later;
        }
        take(&slots, 1, 50, later).unwrap();
        START
    };
    assert!(slots.take_precisely(key(1), 1, held_up).is_err());
    assert_eq!(slots.tokens(key(1), later), 0);
    assert!(take(&slots, 1, 1, later).is_err());
}

#[test]
fn a_refused_request_costs_nothing_and_one_that_is_too_large_makes_no_slot() {
    let slots = slots(1, 5, 10);
    assert_eq!(take(&slots, 1, 6, START), Err(Lack::ForEver));
    assert_eq!(take(&slots, 1, 0, START), Ok(()));
    assert_eq!(slots.counts(START).0, 0);
    take(&slots, 1, 3, START).unwrap();
    assert_eq!(take(&slots, 1, 3, START), Err(Lack::For(SECOND)));
    assert_eq!(take(&slots, 1, u32::MAX, START), Err(Lack::ForEver));
    assert_eq!(slots.tokens(key(1), START), 2);
}

#[test]
fn a_bucket_that_is_filled_makes_room() {
    let slots = slots(1, 5, 10);
    for number in 0..5 {
        take(&slots, number, 5, START).unwrap();
    }
    slots.fill(key(0), START);
    slots.fill(key(99), START);
    assert_eq!((slots.tokens(key(0), START), slots.tokens(key(1), START)), (5, 0));
    assert_eq!(slots.counts(START).0, 4);
    slots.fill_all(START);
    assert_eq!((slots.counts(START).0, slots.tokens(key(1), START)), (0, 5));
    take(&slots, 1, 5, START).unwrap();
    assert!(take(&slots, 1, 1, START).is_err());
}

/// An instant may be any word, also the one that is no bucket's.
#[test]
fn the_word_that_marks_a_slot_is_never_a_keys() {
    let slots = slots(10_000_000, 1, 10);
    let shift = slots.bucket.units(1).trailing_zeros();
    let end = u64::MAX >> shift;
    for now in end - 200..=end {
        let _ = take(&slots, 1, 1, now);
        assert!(slots.table().set(key(1)).find(key(1)).is_some(), "{now}");
    }
    let slot = Set::new();
    let slot = slot.iter().next().unwrap();
    assert!(slot.exchange(0, Full::MAX) && slot.exchange(0, 5));
}

#[test]
fn two_thirds_of_the_room_and_all_of_it_lose_as_few_keys_as_is_said() {
    for (keys, at_most) in [(6_667, 7), (10_000, 120)] {
        let slots = Slots { max_keys: 10_000, ..Slots::new(Rate::new(1, Duration::from_secs(3600)), 1, 0) };
        for number in 0..keys {
            take(&slots, number, 1, START).unwrap();
        }
        assert!(evicted(&slots) <= at_most, "{} of {keys}", evicted(&slots));
    }
}
