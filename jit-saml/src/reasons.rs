//! How reasons for a refusal are written down.

/// Makes an enum of reasons, each with a stable code and a phrase that explains it. Those that carry a reason of another enum
/// come first, between braces; they keep the codes of that.
macro_rules! reasons {
    (
        $(#[$outer:meta])*
        $name:ident {
            $({ $( $(#[$whose:meta])* $carried:ident($inner:ty), )+ })?
            $( $(#[doc = $section:literal])? $variant:ident = $code:literal, $meaning:literal; )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($( $(#[$whose])* $carried($inner), )+)?
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $(#[doc = ""] #[doc = $section])?
                $variant,
            )+
        }

        impl $name {
            /// Lists them, those that are carried from elsewhere left out, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Names the rule that was broken, for logs, alerts and tests; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $($( Self::$carried(reason) => reason.code(), )+)?
                    $( Self::$variant => $code, )+
                }
            }

            /// Explains the code in one phrase without any value from the document.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $($( Self::$carried(reason) => reason.meaning(), )+)?
                    $( Self::$variant => $meaning, )+
                }
            }
        }
    };
}

pub(crate) use reasons;
