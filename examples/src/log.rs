//! Tells whoever runs a program what the libraries tell: a line on standard error for each event.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata, Subscriber, span};

/// Writes lines that begin with the name of the program.
struct Lines(&'static str);

/// What an event says: its message, and behind it its fields.
#[derive(Default)]
struct Said {
    message: String,
    fields: String,
}

/// Lets the libraries' events of interest to an operator appear on standard error. Their messages hold codes, names and ids,
/// and never values of people.
pub(crate) fn to_standard_error(program: &'static str) {
    // Where somebody listens already, they go on doing so.
    let _ = set_global_default(Lines(program));
}

fn concerns_operators(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() <= LevelFilter::INFO && metadata.target().starts_with("jit_")
}

impl Subscriber for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if concerns_operators(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        concerns_operators(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        // There is nowhere left to complain about a closed standard error.
        let _ = writeln!(io::stderr(), "{}: {level}: {}{}", self.0, said.message, said.fields);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Said {
    fn note(&mut self, field: &Field, text: &str) {
        // One event is one line, whatever somebody was called.
        let text: String = text.chars().filter(|sign| !sign.is_control()).collect();
        if field.name() == "message" {
            self.message = text;
        } else {
            let _ = write!(self.fields, " {}={text}", field.name());
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, &format!("{value:?}"));
    }
}
