//! The crate's own macros, as far as they make public things.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{ImplItem, Item, ItemEnum, ItemImpl, ItemMacro, parse_quote};

use super::source::Source;

/// The enum that an invocation makes: `open_enum! { /// … Name { Variant = "word", … } }`.
pub fn made(invocation: &ItemMacro) -> Option<String> {
    invocation.mac.path.is_ident("open_enum").then(|| {
        let named = invocation
            .mac
            .tokens
            .clone()
            .into_iter()
            .find_map(|token| match token {
                TokenTree::Ident(ident) => Some(ident.to_string()),
                _ => None,
            });
        named.expect("a name")
    })
}

/// What the invocation makes, with its methods.
pub fn expand(source: &Source, invocation: &ItemMacro) -> (ItemEnum, ItemImpl) {
    let name = made(invocation).unwrap();
    let name = syn::Ident::new(&name, proc_macro2::Span::call_site());
    let body = invocation
        .mac
        .tokens
        .clone()
        .into_iter()
        .find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                Some(group.stream())
            }
            _ => None,
        });
    let words = body
        .expect("variants")
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        });
    // The keyword `doc` stands inside of brackets, so that all identifiers are variants.
    let words: Vec<_> = words.collect();
    let mut item: ItemEnum = parse_quote! {
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Name { Other(Keyword) }
    };
    item.ident = name.clone();
    let other = item.variants.pop().unwrap().into_value();
    item.variants
        .extend(words.into_iter().map(|word| -> syn::Variant {
            parse_quote! { #word }
        }));
    item.variants.push(other);
    let mut methods: ItemImpl = parse_quote! { impl Name {} };
    *methods.self_ty = syn::Type::Path(parse_quote! { #name });
    methods.items = functions(definition(source, "open_enum"));
    (item, methods)
}

/// The methods that an invocation in an `impl` makes.
pub fn methods(source: &Source, name: &str) -> Vec<ImplItem> {
    functions(definition(source, name))
}

fn definition(source: &Source, name: &str) -> TokenStream {
    let items = source.0.values().flatten();
    let found = items.filter_map(|item| match item {
        Item::Macro(item) if item.ident.as_ref().is_some_and(|ident| ident == name) => {
            Some(item.mac.tokens.clone())
        }
        _ => None,
    });
    let mut found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{name}");
    found.remove(0)
}

/// All `pub fn` in a macro, however deep.
fn functions(tokens: TokenStream) -> Vec<ImplItem> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(functions(group.stream()));
        }
        let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
        if is(at, "pub") && is(at + 1, "fn") {
            let signature = tokens[at..].iter().take_while(|token| {
                !matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            });
            let signature: TokenStream = signature.cloned().collect();
            found.push(parse_quote! { #signature {} });
        }
    }
    found
}
