//! Which outputs are failures.

use super::*;

#[circuit_breaker(failures = 1, open_for = 1s, when = Fault::is_down)]
async fn when_down(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(failures = 1, unless = |fault| *fault == Fault::BadRequest)]
async fn unless_bad(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(failures = 2, failure_if = |output| matches!(output, Ok(2..)))]
async fn failing_values(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

#[circuit_breaker(window = 4, failure_rate = 50%, ignore_if = |output| matches!(output, Err(Fault::BadRequest)))]
async fn ignoring(dependency: &Dependency) -> Result<u32, Fault> {
    dependency.run().await
}

fn breaker_of(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn predicates_say_what_a_failure_is() {
    let dependency = Dependency::new([Act::Refuse, Act::Fail]);
    assert_eq!(when_down(&dependency).await, Err(Fault::BadRequest));
    assert_eq!(breaker_of("circuit_breaker::judged::when_down").state(), CircuitState::Closed);
    assert_eq!(when_down(&dependency).await, Err(Fault::Down(2)));
    assert_eq!(breaker_of("circuit_breaker::judged::when_down").state(), CircuitState::Open);

    let dependency = Dependency::new([Act::Refuse, Act::Fail]);
    unless_bad(&dependency).await.unwrap_err();
    assert_eq!(breaker_of("circuit_breaker::judged::unless_bad").state(), CircuitState::Closed);
    unless_bad(&dependency).await.unwrap_err();
    assert_eq!(breaker_of("circuit_breaker::judged::unless_bad").state(), CircuitState::Open);

    let dependency = Dependency::new([Act::Fail, Act::Succeed]);
    failing_values(&dependency).await.unwrap_err();
    for _ in 0..2 {
        failing_values(&dependency).await.unwrap();
    }
    assert_eq!(breaker_of("circuit_breaker::judged::failing_values").state(), CircuitState::Open);
}

/// An error that `when` refuses is an answer: a probe that gets it closes the circuit.
#[tokio::test(start_paused = true)]
async fn an_answer_closes_it_and_a_neutral_result_does_not() {
    let breaker = brittle();
    #[circuit_breaker(policy = breaker, when = Fault::is_down)]
    async fn answered(breaker: &CircuitBreaker) -> Result<u32, Fault> {
        Err(Fault::BadRequest)
    }
    half_open(&breaker).await;
    answered(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Closed);

    let dependency = Dependency::new([Act::Refuse]);
    for _ in 0..10 {
        ignoring(&dependency).await.unwrap_err();
    }
    assert_eq!(breaker_of("circuit_breaker::judged::ignoring").stats().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn without_arguments_it_has_the_documented_defaults() {
    #[circuit_breaker]
    async fn by_default(dependency: &Dependency) -> Result<u32, Fault> {
        dependency.run().await
    }
    let dependency = Dependency::new([Act::Fail]);
    for _ in 0..19 {
        by_default(&dependency).await.unwrap_err();
    }
    let breaker = breaker_of("circuit_breaker::judged::by_default");
    assert_eq!(breaker.state(), CircuitState::Closed);
    by_default(&dependency).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.stats().retry_after, Some(Duration::from_secs(30)));
    assert!(by_default(&dependency).await.unwrap_err().ours().is_circuit_open());
    let stats = site("circuit_breaker::judged::by_default").stats();
    assert_eq!((stats.failed, stats.rejected), (20, 1));
}
