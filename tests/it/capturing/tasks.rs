//! Captures that are carried by futures.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread::{self, ThreadId},
    time::Duration,
};

use spanshot::{Capture, Storage, Trace, capture::Carried};
use tokio::{
    sync::{Barrier, oneshot},
    task::{JoinSet, yield_now},
};
use tracing::{Instrument, Span, info, info_span};

use crate::support::panic_message;

struct TracesOnDrop;

impl Drop for TracesOnDrop {
    fn drop(&mut self) {
        info!("dropped");
    }
}

/// A task with a span, in which it waits for others again and again.
async fn interleaved(task: usize, barrier: Arc<Barrier>) {
    async {
        for step in 0..10 {
            barrier.wait().await;
            async {
                info!(task, step, "before");
                yield_now().await;
                info!(task, step, "after");
            }
            .instrument(info_span!("step", task, step))
            .await;
        }
    }
    .instrument(info_span!("task", task))
    .await;
}

#[track_caller]
fn assert_each_has_its_own(trace: &Trace, tasks: usize) {
    assert_eq!(trace.root_spans().len(), tasks);
    assert_eq!(trace.all_spans().len(), tasks * 11);
    assert_eq!(trace.all_events().len(), tasks * 20);
    for task in trace.root_spans() {
        assert_eq!((task.children().len(), task.events().len()), (10, 0));
        assert!(task.stats().is_closed);
        for (number, step) in task.children().enumerate() {
            assert!(step["task"] == task["task"] && step["step"] == number);
            let messages: Vec<_> = step.events().filter_map(|event| event.message()).collect();
            assert_eq!(messages, ["before", "after"]);
            for event in step.events() {
                assert!(event["task"] == task["task"] && event["step"] == number);
            }
        }
    }
}

#[tokio::test]
async fn tasks_of_a_runtime_on_one_thread_are_captured_as_they_are() {
    const TASKS: usize = 8;

    let capture = Capture::start();
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(interleaved(task, Arc::clone(&barrier)));
    }
    tasks.join_all().await;
    assert_each_has_its_own(&capture.trace(), TASKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_carry_the_capture_across_threads() {
    const TASKS: usize = 8;

    let capture = Capture::start();
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(capture.carry_future(interleaved(task, Arc::clone(&barrier))));
    }
    tasks.join_all().await;
    assert_each_has_its_own(&capture.trace(), TASKS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_several_captures_on_the_same_threads_are_apart() {
    const CAPTURES: usize = 4;
    const TASKS: usize = 4;

    let captures: Vec<_> = (0..CAPTURES).map(|_| Capture::start()).collect();
    let barrier = Arc::new(Barrier::new(CAPTURES * TASKS));
    let mut tasks = JoinSet::new();
    for capture in &captures {
        for task in 0..TASKS {
            tasks.spawn(capture.carry_future(interleaved(task, Arc::clone(&barrier))));
        }
    }
    for task in 0..TASKS {
        // The same, uncarried: of no capture.
        let barrier = Arc::new(Barrier::new(1));
        tasks.spawn(interleaved(task, barrier));
    }
    tasks.join_all().await;
    for capture in captures {
        assert_each_has_its_own(&capture.trace(), TASKS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_of_a_select_are_captured_up_to_their_end() {
    async fn waits_for(receiver: oneshot::Receiver<()>, name: &str) {
        let _traces = TracesOnDrop;
        info!(name, "waiting");
        let _ = receiver.await;
        info!(name, "done");
    }

    let capture = Capture::start();
    tokio::spawn(capture.carry_future(async {
        let (send, receive) = oneshot::channel();
        let (_never, other) = oneshot::channel();
        send.send(()).unwrap();
        let span = info_span!("select");
        async {
            tokio::select! {
                biased;
                () = waits_for(other, "never") => unreachable!(),
                () = waits_for(receive, "ready") => info!("selected"),
            }
        }
        .instrument(span)
        .await;
    }))
    .await
    .unwrap();
    let trace = capture.trace();
    let select = trace.root_spans().next().unwrap();
    assert_eq!(select.events().len(), trace.all_events().len());
    let lines: Vec<_> = select.events().map(|event| event.to_string()).collect();
    let begin =
        ["waiting name=\"never\"", "waiting name=\"ready\"", "done name=\"ready\"", "dropped"];
    assert_eq!(lines[..4], begin.map(|line| format!("INFO {line}")));
    // Whether the other branch is dropped before or after the handler is up to the macro.
    let mut end = lines[4..].to_vec();
    end.sort();
    assert_eq!(end, ["INFO dropped", "INFO selected"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_that_is_aborted_is_dropped_in_the_scope() {
    let capture = Capture::start();
    let (started, is_started) = oneshot::channel();
    let task = tokio::spawn(capture.carry_future(async {
        let _traces = TracesOnDrop;
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    }));
    is_started.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(capture.trace().to_string(), "INFO dropped");
}

#[test]
fn future_is_dropped_in_the_scope_polled_or_not() {
    let capture = Capture::start();
    let traces = TracesOnDrop;
    let unpolled = capture.carry_future(async move { drop(traces) });
    thread::spawn(move || drop(unpolled)).join().unwrap();
    assert_eq!(capture.take().to_string(), "INFO dropped");

    let mut polled = Box::pin(capture.carry_future(async {
        let _traces = TracesOnDrop;
        std::future::pending::<()>().await;
    }));
    thread::spawn(move || {
        let mut context = Context::from_waker(Waker::noop());
        assert!(polled.as_mut().poll(&mut context).is_pending());
    })
    .join()
    .unwrap();
    assert_eq!(capture.take().to_string(), "INFO dropped");

    // What it has captured goes when it is ready, not when it is dropped.
    let traces = TracesOnDrop;
    let mut is_polled = false;
    let mut ready = Box::pin(capture.carry_future(poll_fn(move |_| {
        let _ = &traces;
        if std::mem::replace(&mut is_polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })));
    let mut context = Context::from_waker(Waker::noop());
    assert!(ready.as_mut().poll(&mut context).is_pending());
    assert_eq!(capture.trace().all_events().len(), 0);
    assert!(ready.as_mut().poll(&mut context).is_ready());
    assert_eq!(capture.take().to_string(), "INFO dropped");
    let message = panic_message(|| ready.as_mut().poll(&mut context));
    assert_eq!(message, "a future was polled that was ready before");
}

#[test]
fn future_that_panics_leaves_the_thread_as_it_was() {
    let capture = Capture::start();
    let mut future = pin!(capture.carry_future(async {
        let _entered = info_span!("of the future").entered();
        panic!("as it was told to");
    }));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut context = Context::from_waker(Waker::noop());
            let message = panic_message(|| future.as_mut().poll(&mut context));
            assert_eq!(message, "as it was told to");
            assert!(Span::current().is_none());
            info!("of no capture");
        });
    });
    let span = capture.trace().all_spans().next().unwrap().stats();
    assert!(span.is_closed && span.entered == span.exited);
    assert_eq!(capture.trace().all_events().len(), 0);
}

#[test]
fn future_may_be_sent_if_the_inner_one_may() {
    fn is_send<T: Send>(_: &T) {}

    let capture = Capture::start();
    let future: Carried<_> = capture.carry_future(async { thread::current().id() });
    is_send(&future);
    is_send(&capture.handle());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let id: ThreadId = thread::spawn(move || runtime.block_on(future)).join().unwrap();
    assert_ne!(id, thread::current().id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_tasks_carry_the_capture() {
    let capture = Capture::start();
    let _entered = info_span!("of the test").entered();
    let task = tokio::task::spawn_blocking(capture.carry(|| info!("blocking")));
    task.await.unwrap();
    assert_eq!(capture.trace().to_string(), "INFO of the test{}\nINFO blocking");
}

/// The runtime of a `#[tokio::test]` has one thread, which runs the test and all of its tasks.
#[tokio::test]
async fn wait_until_blocks_a_single_threaded_runtime_and_until_does_not() {
    let capture = Capture::start();
    let task = tokio::spawn(capture.carry_future(async { info!("ready") }));
    let is_ready = |trace: &Storage| trace.all_events().len() == 1;

    let message = panic_message(|| capture.wait_until(Duration::from_millis(20), is_ready));
    assert!(message.contains("await `until()` instead"), "{message}");
    assert!(message.ends_with("\n(nothing was captured)"), "{message}");

    assert_eq!(capture.until(is_ready).await.to_string(), "INFO ready");
    task.await.unwrap();
}
