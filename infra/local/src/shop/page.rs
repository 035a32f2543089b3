//! The shop itself: shelves, basket, checkout, and a page about oneself.

use askama::Template;
use axum::{
    Form,
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;

use super::{
    cookie, leading_to,
    problem::Problem,
    visitor::{BASKET, Visitor},
};

/// Nobody carries more things than this.
const FULL: usize = 20;

/// What is on the shelves; a product's number is its place.
pub(super) static PRODUCTS: [Product; 6] = [
    Product { name: "Bread", what: "Rye, baked this morning", cents: 380 },
    Product { name: "Apples", what: "A bag of seven", cents: 295 },
    Product { name: "Coffee", what: "Whole beans, 250 g", cents: 740 },
    Product { name: "Honey", what: "From the roof next door", cents: 615 },
    Product { name: "Candles", what: "Four, beeswax", cents: 520 },
    Product { name: "String", what: "Thirty metres, always useful", cents: 150 },
];

/// Something for sale.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) cents: u32,
}

impl Product {
    fn price(&self) -> String {
        price(self.cents)
    }
}

#[derive(Template)]
#[template(path = "shop/home.html")]
struct Home<'a> {
    visitor: &'a Visitor,
}

#[derive(Template)]
#[template(path = "shop/checkout.html")]
struct Checkout<'a> {
    visitor: &'a Visitor,
}

#[derive(Template)]
#[template(path = "shop/account.html")]
struct Account<'a> {
    visitor: &'a Visitor,
}

/// Shows the shelves.
pub(super) async fn home(visitor: Visitor) -> Response {
    show(StatusCode::OK, &Home { visitor: &visitor })
}

#[derive(Deserialize)]
pub(super) struct Take {
    product: usize,
}

/// Puts a product into the basket.
pub(super) async fn take(visitor: Visitor, Form(take): Form<Take>) -> Result<Response, Problem> {
    let product = PRODUCTS.get(take.product).ok_or(Problem::NotFound)?;
    let carried = visitor.basket.iter().copied().take(FULL - 1).chain([product]);
    let numbers =
        carried.filter_map(|one| PRODUCTS.iter().position(|product| product.name == one.name));
    let basket = numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(".");
    Ok(([(header::SET_COOKIE, cookie(BASKET, &basket))], Redirect::to("/")).into_response())
}

/// Shows the basket, and asks who is there.
pub(super) async fn checkout(visitor: Visitor) -> Response {
    show(StatusCode::OK, &Checkout { visitor: &visitor })
}

/// Shows what the shop knows of who is signed in.
pub(super) async fn account(visitor: Visitor) -> Response {
    if !visitor.signed_in() {
        return Redirect::to(&leading_to("/sign-in", "/account")).into_response();
    }
    show(StatusCode::OK, &Account { visitor: &visitor })
}

/// Answers with a page.
pub(super) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An amount of money: `$3.80`.
pub(super) fn price(cents: u32) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}
