//! Runs the real program.

use tokio::process::Command;

/// What the program said, and how it ended.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lwa-doctor"));
    command.args(arguments).envs(environment.iter().copied()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Ran {
    /// The lines of the checks that ended like this, and the checks' ids.
    pub(crate) fn lines(&self, word: &str) -> Vec<(&str, &str)> {
        let lines = self.out.lines().filter_map(|line| {
            let line = line.strip_prefix("  ")?;
            let rest = line.strip_prefix(word)?.strip_prefix(' ')?.trim_start();
            Some((rest.split(' ').next()?, line))
        });
        lines.collect()
    }

    /// The ids of the checks that ended like this.
    pub(crate) fn ended(&self, word: &str) -> Vec<&str> {
        self.lines(word).into_iter().map(|(id, _)| id).collect()
    }

    /// Nothing is wrong.
    #[track_caller]
    pub(crate) fn is_right(&self) {
        assert_eq!((self.ended("wrong"), self.status), (vec![], 0), "{}{}", self.out, self.err);
    }

    /// This is wrong and nothing else, and the line that says so holds these words.
    #[track_caller]
    pub(crate) fn is_wrong(&self, id: &str, words: &[&str]) {
        assert_eq!((self.ended("wrong"), self.status), (vec![id], 1), "{}{}", self.out, self.err);
        let (_, line) = self.lines("wrong")[0];
        for word in words {
            assert!(line.contains(word), "{word}: {line}");
        }
        assert!(line.contains("See README.md, \""), "{line}");
    }
}
