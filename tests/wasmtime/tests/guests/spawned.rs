//! Guests that go from thread to thread: the spans that a thread of the host is in are those of the guest that it runs.

use std::thread;

use spanshot::Capture;
use tracing::{Instrument, info, info_span};

use super::{
    async_engine::{ORDER, Shop, Yields, finish, on_new_threads, poll_once, serve},
    bodies::BUFFERS,
};

#[test]
fn guests_in_tasks_of_many_threads_trace_what_each_traces_alone() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for buffer in BUFFERS {
        for yields in [Yields::Never, Yields::Fuel(1_009), Yields::Fuel(5_003), Yields::Epochs] {
            let capture = Capture::start();
            let tasks: Vec<_> = (0..8)
                .map(|number| {
                    let span = info_span!("task", number);
                    let guest = async move {
                        serve(buffer, yields).await;
                        info!("done");
                    };
                    runtime.spawn(capture.carry_future(guest.instrument(span)))
                })
                .collect();
            for task in tasks {
                runtime.block_on(task).unwrap();
            }
            let trace = capture.trace();
            assert_eq!(trace.roots().count(), 8, "{trace}");
            let order = ORDER.replace('\n', "\n│  ");
            for task in trace.root_spans() {
                let number = task["number"].as_int().unwrap();
                let expected = format!("INFO task{{number={number}}}\n├─ {order}\n└─ INFO done");
                assert_eq!(task.to_string(), expected, "buffer of {buffer}, {yields:?}");
            }
        }
    }
}

#[test]
fn future_may_be_polled_on_another_thread_each_time() {
    for buffer in BUFFERS {
        for interval in [1_009, 5_003, 20_011] {
            let capture = Capture::start();
            let guest = capture.carry_future(serve(buffer, Yields::Fuel(interval)));
            let ((), polls) = finish(on_new_threads(guest), || info!("unrelated"));
            let trace = capture.trace();
            let roots: Vec<_> = trace.root_spans().map(|span| span.to_string()).collect();
            assert_eq!(roots, [ORDER], "buffer of {buffer}, fuel of {interval}");
            assert_eq!(trace.root_events().count(), polls as usize - 1);
        }
    }
}

#[test]
fn store_may_be_moved_to_another_thread_while_the_guest_is_in_a_span() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let (mut shop, _) = finish(Shop::new(buffer, Yields::Fuel(1_009)), || ());
        let calls: [(&str, &[u32]); 4] =
            [("shift", &[7]), ("order", &[2]), ("order", &[2]), ("shift", &[0])];
        for (export, arguments) in calls {
            let call = capture.carry(|| {
                finish(shop.call(export, arguments), || info!("unrelated")).0.unwrap();
                finish(shop.call("flush", &[]), || info!("unrelated")).0.unwrap();
                info!("unrelated");
            });
            thread::scope(|scope| scope.spawn(call).join().unwrap());
            info!("unrelated");
        }
        let trace = capture.trace();
        let roots: Vec<_> = trace.root_spans().map(|span| span.to_string()).collect();
        let orders = ORDER.replace('\n', "\n   ");
        let expected = format!("INFO shift{{number=7}}\n├─ DEBUG open\n└─ ⟨2×⟩ {orders}");
        assert_eq!(roots, [expected], "buffer of {buffer}");
        assert!(trace.root_events().count() >= 8);
    }
}

#[test]
fn future_that_is_dropped_on_another_thread_leaves_that_as_it_was() {
    for buffer in BUFFERS {
        let capture = Capture::start();
        let mut guest = Box::pin(capture.carry_future(serve(buffer, Yields::Fuel(5_003))));
        while capture.trace().all_events().next().is_none() {
            assert!(poll_once(guest.as_mut()).is_none());
        }
        info!("unrelated");
        let dropping = capture.carry(|| {
            drop(guest);
            info!("unrelated");
        });
        thread::scope(|scope| scope.spawn(dropping).join().unwrap());
        info!("unrelated");
        let trace = capture.trace();
        assert_eq!(
            trace.to_string(),
            "INFO order{items=2}\n\
             └─ DEBUG item{item=0}\n   \
                └─ INFO asked{item=0}\n      \
                   └─ INFO before\n\
             ⟨3×⟩ INFO unrelated",
            "buffer of {buffer}"
        );
    }
}
