use super::*;

fn places(limit: u32) -> Places {
    Places::new(limit, Order::Fifo, Mode::On)
}

fn wait_for(places: &Places, count: u32) -> WaiterId {
    match places.get_in_line(count, Priority::Normal, 0, usize::MAX, Waker::noop()) {
        Joined::InLine(id) => id,
        other => panic!("{other:?}"),
    }
}

fn turn(places: &Places, id: WaiterId) -> Turn {
    places.turn(id, Waker::noop())
}

fn counts(places: &Places) -> (u32, u32) {
    (places.word().taken(), places.word().waiters())
}

#[test]
fn a_free_place_goes_to_the_first_in_line_and_not_to_a_newcomer() {
    let places = places(1);
    assert!(places.enter(1) && !places.enter(1));
    let (first, second) = (wait_for(&places, 1), wait_for(&places, 1));
    places.leave(1);
    assert!(!places.enter(1));
    assert_eq!((turn(&places, first), turn(&places, second)), (Turn::Come, Turn::NotYet));
    places.leave(1);
    assert_eq!(turn(&places, second), Turn::Come);
    places.leave(1);
    assert_eq!((counts(&places), places.admitted()), ((0, 0), 3));
}

#[test]
fn a_waiter_dropped_after_its_turn_came_passes_it_on() {
    let places = places(1);
    assert!(places.enter(1));
    let (first, second) = (wait_for(&places, 1), wait_for(&places, 1));
    places.leave(1);
    places.leave_line(first, 1);
    assert_eq!(turn(&places, second), Turn::Come);
    assert_eq!(counts(&places), (1, 0));
}

#[test]
fn a_waiter_that_gives_up_neither_eats_a_place_nor_starves_the_line() {
    let places = places(1);
    assert!(places.enter(1));
    let (first, second) = (wait_for(&places, 1), wait_for(&places, 1));
    places.leave_line(first, 1);
    places.leave(1);
    assert_eq!(turn(&places, second), Turn::Come);
    places.leave(1);
    assert!(places.enter(1));
}

#[test]
fn who_asks_for_many_is_not_overtaken_and_who_waits_behind_goes_when_it_gives_up() {
    let places = places(4);
    assert!(places.enter(2));
    let (many, one) = (wait_for(&places, 3), wait_for(&places, 1));
    assert!(!places.enter(1));
    assert_eq!((turn(&places, many), turn(&places, one)), (Turn::NotYet, Turn::NotYet));
    places.leave_line(many, 3);
    assert_eq!(turn(&places, one), Turn::Come);
    let many = wait_for(&places, 4);
    places.leave(2);
    assert_eq!(turn(&places, many), Turn::NotYet);
    places.leave(1);
    assert_eq!(turn(&places, many), Turn::Come);
    assert_eq!(counts(&places), (4, 0));
}

#[test]
fn a_limit_that_comes_down_lets_those_inside_finish_and_one_that_goes_up_lets_waiters_in() {
    let places = places(3);
    assert!(places.enter(3));
    assert_eq!((places.set_limit(|| Some(1)), places.set_limit(|| Some(1))), (Some(1), None));
    places.leave(2);
    assert!(!places.enter(1));
    let waiting = wait_for(&places, 1);
    assert_eq!(turn(&places, waiting), Turn::NotYet);
    assert_eq!(places.set_limit(|| Some(2)), Some(2));
    assert_eq!(turn(&places, waiting), Turn::Come);
    assert_eq!(counts(&places), (2, 0));
}

#[test]
fn nobody_waits_any_more_in_a_mode_that_lets_all_pass() {
    let places = places(1);
    assert!(places.enter(1));
    let (first, second) = (wait_for(&places, 1), wait_for(&places, 1));
    places.leave(1);
    places.set_mode(Mode::Off);
    // What was taken for one is its own.
    assert_eq!((turn(&places, first), turn(&places, second)), (Turn::Come, Turn::Free));
    assert_eq!(places.get_in_line(1, Priority::Normal, 0, 9, Waker::noop()), Joined::Free);
    assert_eq!(counts(&places), (1, 0));
    places.set_mode(Mode::On);
    places.leave(1);
    assert!(places.enter(1));
}

#[test]
fn in_a_full_line_the_oldest_makes_room_where_the_last_go_first() {
    let places = Places::new(1, Order::Lifo, Mode::On);
    assert!(places.enter(1));
    let join = || places.get_in_line(1, Priority::Normal, 0, 2, Waker::noop());
    let ids: Vec<_> = (0..3).map(|_| join()).collect();
    let [Joined::InLine(oldest), Joined::InLine(second), Joined::InLine(last)] = ids[..] else { panic!("{ids:?}") };
    assert_eq!(counts(&places), (1, 2));
    assert_eq!(turn(&places, oldest), Turn::Lost);
    places.leave_line(oldest, 1);
    places.leave(1);
    assert_eq!((turn(&places, second), turn(&places, last)), (Turn::NotYet, Turn::Come));
    places.leave_line(second, 1);
    assert_eq!(counts(&places), (1, 0));
}

#[test]
fn in_a_full_line_one_who_is_less_urgent_makes_room() {
    let places = Places::new(1, Order::Priority, Mode::On);
    assert!(places.enter(1));
    let join = |class| places.get_in_line(1, class, 0, 2, Waker::noop());
    let (Joined::InLine(normal), Joined::InLine(low)) = (join(Priority::Normal), join(Priority::Low)) else { panic!() };
    assert_eq!(join(Priority::Low), Joined::Full);
    assert!(matches!(join(Priority::Critical), Joined::InLine(_)));
    assert_eq!((turn(&places, low), turn(&places, normal)), (Turn::Lost, Turn::NotYet));
    assert!(matches!(join(Priority::High), Joined::InLine(_)));
    assert_eq!((turn(&places, normal), join(Priority::High)), (Turn::Lost, Joined::Full));
    assert_eq!(counts(&places), (1, 2));
}

#[test]
fn never_more_than_max_under_many_threads_while_the_limit_moves() {
    use std::sync::atomic::AtomicU32;
    let (places, inside) = (places(3), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for round in 0..2000 {
                    if places.enter(1) {
                        assert!(inside.fetch_add(1, AcqRel) < 3);
                        inside.fetch_sub(1, AcqRel);
                        places.leave(1);
                    }
                    if round % 64 == 0 {
                        places.set_limit(|| Some(1 + round / 64 % 3));
                    }
                }
            });
        }
    });
    assert_eq!(counts(&places), (0, 0));
}
