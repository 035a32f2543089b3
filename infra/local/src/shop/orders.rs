//! What a customer has ordered, for scripts and apps. It asks nobody who is there: the gateway lets only
//! those through who are signed in below `/auth/`, and says who they are.

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::page::{PRODUCTS, price};

/// The one path of the shop's that the gateway guards.
pub(crate) const PATH: &str = "/api/orders";

/// Everybody has ordered the same, by the places on the shelves.
const ORDERS: [(u32, [usize; 2]); 2] = [(1001, [0, 2]), (1002, [3, 5])];

/// Tells the orders of the account that the gateway names.
pub(super) async fn list(headers: HeaderMap) -> Response {
    let account = headers.get("x-account-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
    let Some(account) = account else { return StatusCode::FORBIDDEN.into_response() };
    let orders = ORDERS.map(|(number, places)| {
        let products = places.map(|place| &PRODUCTS[place]);
        let total = price(products.iter().map(|product| product.cents).sum());
        json!({ "number": number, "products": products.map(|product| product.name), "total": total })
    });
    Json(json!({ "account_id": account, "orders": orders })).into_response()
}
