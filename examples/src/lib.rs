//! What the example programs share: a demo identity provider, the pages of the portal, and the web parts of both.

pub mod demo_idp;
pub mod portal;
pub mod web;
