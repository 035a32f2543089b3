use local_stack::{Options, sites::Sample};

pub(crate) const HELP: &str = "\
cargo local [--port N] [--data DIR] [--accounts WHERE] [--functions-at URL] [NAME=VALUE …]
cargo local tv [--port N]

Runs the whole site on this machine: the shop with the functions below /auth/, a stand-in
for Amazon, a DynamoDB and a Secrets Manager. `tv` plays a television beside it.

  --port N            the site's port, 3000 if absent; the three after it are taken as well
  --data DIR          keeps the tables in DIR; they are gone afterwards if absent
  --accounts WHERE    asks about accounts elsewhere than in the table: `webhook` and `function` are
                      answered by the shop, `python` and `node` by a site of infra/sites, with a
                      PostgreSQL of its own (the shop's own desk then knows none of its newcomers)
  --functions-at URL  takes the functions from a Lambda API, such as `cargo lambda watch`
  NAME=VALUE          a parameter of infra/template.yaml, such as Registration=closed
  --help              this text";

/// What the person at this machine wants.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    /// The site that a television is to be played for.
    pub(crate) television: Option<String>,
    /// The site that is to be asked about accounts.
    pub(crate) sample: Option<Sample>,
    pub(crate) options: Options,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (port, show_logs, limited) = (Some(3000), true, true);
        let options = Options { port, show_logs, limited, ..Options::default() };
        let mut arguments = Self { options, help: false, television: None, sample: None };
        let mut words = words.peekable();
        let is_television = words.next_if(|word| word == "tv").is_some();
        while let Some(word) = words.next() {
            let options = &mut arguments.options;
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value."));
            match word.as_str() {
                "--help" | "-h" => arguments.help = true,
                "--port" => {
                    let port = value()?.parse().ok().filter(|port| (1..=65_532).contains(port));
                    options.port = Some(port.ok_or("--port needs a number from 1 to 65532.")?);
                }
                "--data" | "--accounts" | "--functions-at" if is_television => {
                    return Err(format!("{word} is nothing to a television."));
                }
                "--accounts" => {
                    let place = value()?;
                    arguments.sample = Sample::parse(&place);
                    let wire = arguments.sample.map_or(place.as_str(), |_| "webhook");
                    if !["webhook", "function"].contains(&wire) {
                        return Err("--accounts is webhook, function, python or node.".to_owned());
                    }
                    options.parameters.insert("Accounts".to_owned(), wire.to_owned());
                }
                "--data" => options.data = Some(value()?.into()),
                "--functions-at" => options.functions_at = Some(value()?),
                _ => match word.split_once('=').filter(|_| !word.starts_with('-')) {
                    Some(_) if is_television => {
                        return Err(format!("{word} is nothing to a television."));
                    }
                    Some((name, value)) => {
                        options.parameters.insert(name.to_owned(), value.to_owned());
                    }
                    None => return Err(format!("{word} is not understood.")),
                },
            }
        }
        if let (true, Some(port)) = (is_television, arguments.options.port) {
            arguments.television = Some(format!("http://localhost:{port}"));
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn whoever_says_nothing_gets_port_3000_and_forgets_everything() {
        let options = parse("").unwrap().options;

        assert_eq!((options.port, options.data, options.functions_at), (Some(3000), None, None));
    }

    #[test]
    fn every_word_counts() {
        let options = parse("--port 4000 --data d --functions-at http://x Registration=closed");
        let options = options.unwrap().options;

        assert_eq!(options.port, Some(4000));
        assert_eq!(options.data.as_deref(), Some("d".as_ref()));
        assert_eq!(options.functions_at.as_deref(), Some("http://x"));
        assert_eq!(options.parameters["Registration"], "closed");
        assert!(parse("--port 1 --help").unwrap().help);
        let python = parse("--accounts python").unwrap();
        assert_eq!(python.sample, Some(Sample::Python));
        assert_eq!(python.options.parameters["Accounts"], "webhook");
        let function = parse("--accounts function").unwrap();
        assert_eq!(
            (function.sample, &*function.options.parameters["Accounts"]),
            (None, "function")
        );
    }

    #[test]
    fn a_television_is_told_where_the_site_is_and_nothing_else() {
        let site = |line| parse(line).unwrap().television;
        assert_eq!(site("tv").as_deref(), Some("http://localhost:3000"));
        assert_eq!(site("tv --port 4000").as_deref(), Some("http://localhost:4000"));
        assert_eq!(site("--port 4000"), None);
        assert!(parse("tv --help").unwrap().help);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, said) in [
            ("--port", "--port needs a value."),
            ("--port x", "--port needs a number from 1 to 65532."),
            ("--port 0", "--port needs a number from 1 to 65532."),
            ("--port 65533", "--port needs a number from 1 to 65532."),
            ("--verbose", "--verbose is not understood."),
            ("--accounts mars", "--accounts is webhook, function, python or node."),
            ("tv --accounts node", "--accounts is nothing to a television."),
            ("--data=x", "--data=x is not understood."),
            ("here", "here is not understood."),
            ("--port 1 tv", "tv is not understood."),
            ("tv --data d", "--data is nothing to a television."),
            ("tv Registration=closed", "Registration=closed is nothing to a television."),
        ] {
            assert_eq!(parse(line).unwrap_err(), said, "{line}");
        }
    }
}
