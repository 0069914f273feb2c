//! The commands.

mod alarms;
mod exposure;
mod leases;
mod leavers;
mod mirrors;
mod out;
mod people;
mod reconcile;
mod sweep;

use super::arguments::Order;
use super::failure::Failure;
use super::house::House;
use super::report::Report;

/// Does what was ordered, and tells with which code the process should exit.
pub(super) async fn perform(house: &House, order: Order, report: &mut Report<'_>) -> Result<u8, Failure> {
    match order {
        Order::Out(order) => out::out(house, *order, report).await,
        Order::In { lease } => leases::check_in(house, lease, report).await,
        Order::DeclareGone { lease, reason } => leases::declare_gone(house, lease, &reason, report).await,
        Order::Extend { lease, span } => leases::extend(house, lease, span, report).await,
        Order::List { holder, target } => leases::list(house, holder, target, report).await,
        Order::Sweep => sweep::sweep(house, report).await,
        Order::Reconcile { target, at_most } => reconcile::reconcile(house, target, at_most, report).await,
        Order::Alarms { span } => alarms::alarms(house, span, report).await,
        Order::Exposure => exposure::exposure(house, report).await,
        Order::ConfirmTime => sweep::confirm_time(house, report).await,
        Order::AddPerson { name, roles } => people::add(house, name, roles, report).await,
        Order::EndPerson { name } => people::end(house, &name, report).await,
        Order::ReleasePerson { whom } => people::release(house, &whom, report).await,
        Order::Leavers { connection } => leavers::list(house, connection.as_ref(), report).await,
        Order::DecideLeave { whom, decision } => leavers::decide(house, whom, decision, report).await,
        Order::Mirror(order) => mirrors::perform(house, order, report).await,
    }
}
