//! What the form for a password shows.

/// Describes the form for a user name and a password.
#[derive(Debug, Clone, Default)]
pub struct SignInView {
    /// Where the form goes.
    pub action: String,
    /// The name of the connection.
    pub label: String,
    /// The token of the form.
    pub csrf: String,
    /// The token of the held sign-in that waits for a proof, if one does.
    pub prove: Option<String>,
    /// The name that was typed before.
    pub user_name: String,
    /// Why it did not work before.
    pub trouble: Option<TroubleView>,
}

/// Describes why a form is shown once more.
#[derive(Debug, Clone)]
pub struct TroubleView {
    /// The reason for people.
    pub reason: String,
    /// The stable code.
    pub code: String,
    /// Whether other words in the form may help.
    pub is_about_the_answer: bool,
}
