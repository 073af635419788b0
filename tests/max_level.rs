//! The process has one maximum level: what no capture wants is not even asked for.

use spanshot::Capture;
use tracing::level_filters::LevelFilter;

#[test]
fn maximum_level_is_that_of_the_captures() {
    let with = |filter| Capture::builder().filter(filter).start();
    for (filter, expected) in [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("my_crate=debug", LevelFilter::DEBUG),
        ("warn,my_crate=off", LevelFilter::WARN),
        ("info,my_crate=trace,noisy=error", LevelFilter::TRACE),
        ("info,my_crate::a=warn", LevelFilter::INFO),
    ] {
        let capture = with(filter);
        assert_eq!(LevelFilter::current(), expected, "{filter}");
        let all = Capture::start();
        assert_eq!(LevelFilter::current(), LevelFilter::TRACE, "{filter}, and all");
        drop((capture, all));
    }
    let several = ["error", "info", "warn"].map(with);
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
    drop(several);
}
