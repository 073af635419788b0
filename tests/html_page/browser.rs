//! A real browser without a window, driven over the protocol of its developer tools.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};

/// Messages are read from descriptor 3 and written to 4, each with a zero behind it.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A Chromium with one page.
pub(crate) struct Browser {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    last_id: u64,
    session: Option<String>,
    /// What the browser told by itself.
    events: Vec<Value>,
    /// Where it keeps its profile, and the page is.
    directory: PathBuf,
}

impl Browser {
    /// Starts a Chromium: `chromium`, or what `SPANSHOT_CHROMIUM` names.
    pub(crate) fn start() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let chromium = env::var_os("SPANSHOT_CHROMIUM").unwrap_or_else(|| "chromium".into());
        let is_there = Command::new(&chromium).arg("--version").stderr(Stdio::null()).output();
        assert!(
            is_there.is_ok_and(|output| output.status.success()),
            "these tests need Chromium: `apt-get install chromium`, or name one in SPANSHOT_CHROMIUM"
        );
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory =
            env::temp_dir().join(format!("spanshot-page-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("the temporary directory can be written to");
        let mut profile = std::ffi::OsString::from("--user-data-dir=");
        profile.push(directory.join("profile"));
        let mut process = Command::new("sh")
            .args(["-c", START])
            .arg(chromium)
            .args(["--headless=new", "--remote-debugging-pipe", "--no-first-run"])
            // CI runs as root in a container, where there is neither a sandbox nor much shared memory.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--window-size=1280,800", "--hide-scrollbars"])
            .arg(profile)
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let (to, from) = (process.stdin.take(), process.stdout.take().map(BufReader::new));
        let mut browser = Self {
            process,
            to,
            from: from.expect("its output is piped"),
            last_id: 0,
            session: None,
            events: vec![],
            directory,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(ToOwned::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method, and returns its result.
    #[allow(clippy::needless_pass_by_value)] // they are made for the call
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let to = self.to.as_mut().expect("it is open until it is dropped");
        write!(to, "{message}\0").and_then(|()| to.flush()).expect("Chromium runs");
        loop {
            let mut answer = self.read();
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    fn read(&mut self) -> Value {
        let mut message = vec![];
        self.from.read_until(0, &mut message).expect("Chromium runs");
        assert_eq!(message.pop(), Some(0), "Chromium has ended");
        serde_json::from_slice(&message).expect("Chromium sends JSON")
    }

    /// Opens a page from a file, and waits until it is loaded.
    pub(crate) fn open(&mut self, page: &str) {
        let path = self.directory.join("page.html");
        fs::write(&path, page).expect("the temporary directory can be written to");
        self.navigate(&file_url(&path));
    }

    fn navigate(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.read();
            self.events.push(event);
        }
    }

    /// Returns what an expression of JavaScript is in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    /// Asserts that something is true in the page.
    #[track_caller]
    pub(crate) fn check(&mut self, expression: &str) {
        let value = self.evaluate(expression);
        assert_eq!(value, true, "{expression}");
    }

    /// Clicks on what a selector finds first, with the mouse.
    #[track_caller]
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{
                const element = document.querySelector({selector:?});
                element.scrollIntoView({{ block: 'center' }});
                const box = element.getBoundingClientRect();
                return {{ x: box.left + Math.min(box.width / 2, 100), y: box.top + box.height / 2 }};
            }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&place["x"], &place["y"]);
            let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// Presses and releases a key.
    pub(crate) fn press(&mut self, key: &str, with_shift: bool) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        let text = if key.len() == 1 { key } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let params = json!({
                "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code,
                "modifiers": if with_shift { 8 } else { 0 },
            });
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Enters text into what has the focus.
    pub(crate) fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Asserts that the page did nothing but show itself.
    #[track_caller]
    pub(crate) fn assert_harmless(&mut self) {
        self.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
        let url = file_url(&self.directory.join("page.html"));
        for event in &self.events {
            let is_harmless = match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => event["params"]["request"]["url"] == *url,
                "Page.javascriptDialogOpening"
                | "Page.downloadWillBegin"
                | "Page.windowOpen"
                | "Runtime.exceptionThrown"
                | "Runtime.consoleAPICalled"
                | "Log.entryAdded" => false,
                _ => true,
            };
            assert!(is_harmless, "{event:#}");
        }
        self.check("globalThis.pwned === undefined");
    }

    /// Takes a picture for people to look at, if `SPANSHOT_SCREENSHOTS` names a directory.
    pub(crate) fn screenshot(&mut self, name: &str) {
        let Some(directory) = env::var_os("SPANSHOT_SCREENSHOTS") else { return };
        for scheme in ["light", "dark"] {
            let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
            self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
            let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }));
            let picture = decode_base64(picture["data"].as_str().unwrap_or_default());
            let path = Path::new(&directory).join(format!("{name}-{scheme}.png"));
            fs::write(&path, picture).expect("the directory can be written to");
        }
        self.call("Emulation.setEmulatedMedia", json!({ "features": [] }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends when nobody talks to it any more.
        drop(self.to.take());
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn file_url(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn decode_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let digits: Vec<_> = digits.map(|digit| u32::try_from(digit).unwrap_or_default()).collect();
    let triples = digits.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes.into_iter().take(chunk.len() - 1)
    });
    triples.collect()
}
