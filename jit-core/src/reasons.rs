//! Reasons for which something fails, as enums with stable codes.

/// Makes an enum of reasons, each with a stable code and a phrase that explains it without any value.
///
/// Whoever writes an adapter names its failures so: `code()` for logs, alerts and tests, `meaning()` and `Display` for
/// people, `ALL` for lists. Line after line stands `Variant = "family.code", "meaning";`, with a `#[doc]` before it where
/// a specification has a section for it. That a code is not well formed or stands twice is found when it is compiled.
///
/// ```
/// jit_core::reasons! {
///     /// Says why a badge is refused.
///     pub enum BadgeRefused {
///         Unreadable = "badge.unreadable", "the badge cannot be read";
///         #[doc = "House rules §4."]
///         Expired = "badge.expired", "the badge is not valid any more";
///     }
/// }
/// assert_eq!(BadgeRefused::Expired.code(), "badge.expired");
/// assert_eq!(BadgeRefused::Expired.to_string(), "the badge is not valid any more");
/// ```
///
/// A function of one more column is made where the enum is followed by it; reasons of another enum are carried, with their
/// codes, where they stand between braces before all others. How those are written out is then for the enum to say: it
/// implements `Display` and `Error` itself.
///
/// ```
/// # jit_core::reasons! { /// R.
/// #     pub enum BadgeRefused { Unreadable = "badge.unreadable", "the badge cannot be read"; } }
/// jit_core::reasons! {
///     /// Says why a door stays shut.
///     pub enum Shut: /** Tells whether waiting helps. */ pub fn passes -> bool {
///         Locked = "door.locked", "the door is locked at this hour", true;
///         Walled = "door.walled", "there is a wall behind the door", false;
///     }
/// }
/// jit_core::reasons! {
///     /// Says why somebody does not come in.
///     pub enum Outside {
///         {
///             /// The badge is refused.
///             Badge(BadgeRefused),
///         }
///         Stranger = "guest.stranger", "nobody expects the guest";
///     }
/// }
/// assert!(Shut::Locked.passes());
/// assert_eq!(Outside::Badge(BadgeRefused::Unreadable).code(), "badge.unreadable");
/// ```
///
/// ```compile_fail
/// jit_core::reasons! {
///     /// Two of one code.
///     pub enum Twice { One = "a.code", "the first"; Two = "a.code", "the second"; }
/// }
/// ```
#[macro_export]
macro_rules! reasons {
    (
        $(#[$outer:meta])*
        $visibility:vis enum $name:ident: $(#[$told:meta])* $reach:vis fn $column:ident -> $answer:ty {
            $( $(#[doc = $section:literal])? $variant:ident = $code:literal, $meaning:literal, $value:expr; )+
        }
    ) => {
        $crate::reasons! {
            $(#[$outer])*
            $visibility enum $name { $( $(#[doc = $section])? $variant = $code, $meaning; )+ }
        }

        impl $name {
            $(#[$told])*
            #[must_use]
            $reach const fn $column(self) -> $answer {
                match self { $(Self::$variant => $value),+ }
            }
        }
    };
    ( $(#[$outer:meta])* $visibility:vis enum $name:ident { { $($carried:tt)+ } $($list:tt)+ } ) => {
        $crate::__jit_reasons! { $(#[$outer])* $visibility $name { $($carried)+ } $($list)+ }
    };
    ( $(#[$outer:meta])* $visibility:vis enum $name:ident { $($list:tt)+ } ) => {
        $crate::__jit_reasons! { $(#[$outer])* $visibility $name {} $($list)+ }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.meaning())
            }
        }

        impl ::core::error::Error for $name {}
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __jit_reasons {
    (
        $(#[$outer:meta])*
        $visibility:vis $name:ident
        { $( $(#[$whose:meta])* $carried:ident($inner:ty), )* }
        $( $(#[doc = $section:literal])? $variant:ident = $code:literal, $meaning:literal; )+
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $visibility enum $name {
            $( $(#[$whose])* $carried($inner), )*
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $(#[doc = ""] #[doc = $section])?
                $variant,
            )+
        }

        const _: () = assert!($crate::__jit::are_codes(&[$($code),+]), "a code is not well formed, or stands twice");

        impl $name {
            /// Lists them in the order of the checks, those left out that are carried from elsewhere.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Names the reason for logs, alerts and tests; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $( Self::$carried(reason) => reason.code(), )*
                    $( Self::$variant => $code, )+
                }
            }

            /// Explains the code in one phrase that holds no value.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $( Self::$carried(reason) => reason.meaning(), )*
                    $( Self::$variant => $meaning, )+
                }
            }
        }
    };
}

/// Tells whether codes are well formed (`family.name`: lower case, digits, `_` and further dots) and each stands once.
#[doc(hidden)]
#[must_use]
pub const fn are_codes(codes: &[&str]) -> bool {
    let mut rest = codes;
    while let [code, others @ ..] = rest {
        if !is_code(code.as_bytes()) || stands_in(code.as_bytes(), others) {
            return false;
        }
        rest = others;
    }
    true
}

const fn is_code(code: &[u8]) -> bool {
    let (mut rest, mut dots, mut after_dot) = (code, 0, true);
    while let [sign, others @ ..] = rest {
        match sign {
            b'.' if !after_dot => dots += 1,
            b'a'..=b'z' => {}
            b'0'..=b'9' | b'_' if !after_dot => {}
            _ => return false,
        }
        after_dot = *sign == b'.';
        rest = others;
    }
    dots > 0 && !after_dot
}

const fn stands_in(code: &[u8], codes: &[&str]) -> bool {
    let mut rest = codes;
    while let [other, others @ ..] = rest {
        if is_same(code, other.as_bytes()) {
            return true;
        }
        rest = others;
    }
    false
}

const fn is_same(one: &[u8], two: &[u8]) -> bool {
    let (mut one, mut two) = (one, two);
    while let ([a, rest_of_one @ ..], [b, rest_of_two @ ..]) = (one, two) {
        if *a != *b {
            return false;
        }
        (one, two) = (rest_of_one, rest_of_two);
    }
    one.is_empty() && two.is_empty()
}

#[cfg(test)]
mod tests {
    use super::are_codes;

    #[test]
    fn codes_are_well_formed_and_stand_once() {
        assert!(are_codes(&["oidc.audience_mismatch", "map.email.missing", "saml.sha1_not_allowed"]));
        for wrong in
            ["", ".", "oidc", "oidc.", ".audience", "oidc..audience", "oidc.Audience", "oidc._a", "oidc.a-b"]
        {
            assert!(!are_codes(&[wrong]), "{wrong}");
        }
        assert!(!are_codes(&["a.one", "a.two", "a.one"]));
        assert!(are_codes(&["a.one", "a.one_more", "a.on"]));
    }
}
