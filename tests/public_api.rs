//! The public interface as a text, `tests/public_api.txt`: whoever changes the one has to change the
//! other. `MAILPROOF_WRITE_PUBLIC_API=1 cargo test --test public_api` writes it anew.
//!
//! It is read from the source files. What rustdoc knows in JSON would be more exact, but it changes
//! its format with the nightly compiler that it needs; this runs with every `cargo test`. The two of our
//! macros that make public things are read as well.

#[path = "public_api/macros.rs"]
mod macros;
#[path = "public_api/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Place, Source, below, is_public, name_of, names};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, parse_quote};

#[test]
fn the_interface_is_what_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = Source::read(&folder.join("src/lib.rs"));
    let text = Interface::read(&source).text();
    let file = folder.join("tests/public_api.txt");
    if std::env::var("MAILPROOF_WRITE_PUBLIC_API").is_ok() {
        std::fs::write(&file, &text).unwrap();
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (before, now)) in before.lines().zip(text.lines()).enumerate() {
        assert_eq!(before, now, "line {}; see the top of this test", number + 1);
    }
    assert_eq!(before.lines().count(), text.lines().count());
}

/// What can be reached from outside.
struct Interface<'s> {
    source: &'s Source,
    /// The paths under which an item is reached.
    paths: BTreeMap<Place, BTreeSet<String>>,
}

impl<'s> Interface<'s> {
    fn read(source: &'s Source) -> Self {
        let mut interface = Self {
            source,
            paths: BTreeMap::new(),
        };
        interface.visit("", "");
        interface
    }

    /// Everything public in a module, which is reached as `public`.
    fn visit(&mut self, module: &str, public: &str) {
        for item in &self.source.0[module] {
            match item {
                Item::Mod(child) if is_public(&child.vis) => {
                    let name = child.ident.to_string();
                    self.visit(&below(module, &name), &below(public, &name));
                }
                Item::Use(item) if is_public(&item.vis) => {
                    for (name, path) in names(&item.tree, &[]) {
                        let place = self.source.resolve(module, &path);
                        let place = place.unwrap_or_else(|| panic!("{path:?} in {module}"));
                        self.paths
                            .entry(place)
                            .or_default()
                            .insert(below(public, &name));
                    }
                }
                _ if is_public_item(item) => {
                    let name = name_of(item).unwrap();
                    let place = (module.to_owned(), name.clone());
                    self.paths
                        .entry(place)
                        .or_default()
                        .insert(below(public, &name));
                }
                _ => {}
            }
        }
    }

    fn text(&self) -> String {
        let mut by_path = BTreeMap::new();
        let mut implementations = self.implementations();
        let (mut types, mut traits, mut functions) = (0, 0, 0);
        for (place, paths) in &self.paths {
            let item = self.item(place);
            match &item {
                Item::Trait(_) => traits += 1,
                Item::Fn(_) => functions += 1,
                Item::Const(_) | Item::Static(_) => {}
                _ => types += 1,
            }
            let mut items = vec![bare(item)];
            items.extend(implementations.remove(place).unwrap_or_default());
            let mut text = String::new();
            for path in paths {
                text.push_str(&format!("// {path}\n"));
            }
            let mut blocks: Vec<String> = items
                .into_iter()
                .map(|item| {
                    let file = syn::File {
                        shebang: None,
                        attrs: Vec::new(),
                        items: vec![item],
                    };
                    prettyplease::unparse(&file)
                })
                .collect();
            blocks[1..].sort();
            text.push_str(&blocks.concat());
            by_path.insert(paths.iter().next().unwrap().clone(), text);
        }
        let sum = types + traits + functions;
        let head = format!("// {types} types, {traits} traits, {functions} functions: {sum}\n");
        let blocks: Vec<String> = by_path.into_values().collect();
        format!("{head}\n{}", blocks.join("\n"))
    }

    fn item(&self, (module, name): &Place) -> Item {
        let mut items = self.source.0[module].iter();
        let item = items
            .find(|item| name_of(item).as_ref() == Some(name))
            .unwrap();
        match item {
            Item::Macro(invocation) => Item::Enum(macros::expand(self.source, invocation).0),
            item => item.clone(),
        }
    }

    /// Public methods, and the traits of each type; blanket implementations are with their trait.
    fn implementations(&self) -> BTreeMap<Place, Vec<Item>> {
        let mut found: BTreeMap<Place, Vec<Item>> = BTreeMap::new();
        for (module, items) in &self.source.0 {
            for item in items {
                let implementation = match item {
                    Item::Impl(item) => item.clone(),
                    Item::Macro(item) if macros::made(item).is_some() => {
                        macros::expand(self.source, item).1
                    }
                    _ => continue,
                };
                if let Some(place) = self.subject(module, &implementation) {
                    let shown = self.bare_implementation(implementation).map(Item::Impl);
                    found.entry(place).or_default().extend(shown);
                }
            }
        }
        found
    }

    /// The type that is implemented, or the trait, where it is for any type.
    fn subject(&self, module: &str, item: &ItemImpl) -> Option<Place> {
        let path = match &*item.self_ty {
            Type::Path(path) => &path.path,
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) => &path.path,
                _ => return None,
            },
            _ => return None,
        };
        let segments = |path: &syn::Path| -> Vec<String> {
            path.segments
                .iter()
                .map(|one| one.ident.to_string())
                .collect()
        };
        let place = self.source.resolve(module, &segments(path));
        place.or_else(|| {
            let (_, path, _) = item.trait_.as_ref()?;
            self.source.resolve(module, &segments(path))
        })
    }

    fn bare_implementation(&self, mut item: ItemImpl) -> Option<ItemImpl> {
        item.attrs.retain(is_telling);
        let is_of_trait = item.trait_.is_some();
        let mut kept = Vec::new();
        for inner in std::mem::take(&mut item.items) {
            match inner {
                ImplItem::Fn(mut method) if !is_of_trait && is_public(&method.vis) => {
                    method.attrs.retain(is_telling);
                    method.block = parse_quote!({});
                    kept.push(ImplItem::Fn(method));
                }
                ImplItem::Const(item) if is_public(&item.vis) => kept.push(ImplItem::Const(item)),
                ImplItem::Type(item) => kept.push(ImplItem::Type(item)),
                ImplItem::Macro(item) => {
                    let name = item.mac.path.segments.last().unwrap().ident.to_string();
                    if !is_of_trait {
                        kept.extend(macros::methods(self.source, &name));
                    }
                }
                _ => {}
            }
        }
        item.items = kept;
        (is_of_trait || !item.items.is_empty()).then_some(item)
    }
}

fn is_public_item(item: &Item) -> bool {
    match item {
        Item::Const(item) => is_public(&item.vis),
        Item::Enum(item) => is_public(&item.vis),
        Item::Fn(item) => is_public(&item.vis),
        Item::Static(item) => is_public(&item.vis),
        Item::Struct(item) => is_public(&item.vis),
        Item::Trait(item) => is_public(&item.vis),
        Item::Type(item) => is_public(&item.vis),
        Item::Macro(item) => macros::made(item).is_some(),
        _ => false,
    }
}

/// Attributes that a user can tell.
fn is_telling(attribute: &Attribute) -> bool {
    ["cfg", "derive", "non_exhaustive", "deprecated"]
        .iter()
        .any(|name| attribute.path().is_ident(name))
}

/// The item as a user sees it: no documentation, no bodies, nothing private.
fn bare(mut item: Item) -> Item {
    match &mut item {
        Item::Const(item) => item.attrs.retain(is_telling),
        Item::Enum(item) => {
            item.attrs.retain(is_telling);
            for variant in &mut item.variants {
                variant.attrs.retain(is_telling);
                variant
                    .fields
                    .iter_mut()
                    .for_each(|field| field.attrs.clear());
            }
        }
        Item::Fn(item) => {
            item.attrs.retain(is_telling);
            item.block = parse_quote!({});
        }
        Item::Struct(item) => {
            item.attrs.retain(is_telling);
            item.fields.iter_mut().for_each(|field| field.attrs.clear());
            let hidden = item.fields.iter().any(|field| !is_public(&field.vis));
            if let Fields::Named(fields) = &mut item.fields {
                let shown = fields.named.iter().filter(|field| is_public(&field.vis));
                fields.named = shown.cloned().collect();
                if hidden {
                    fields.named.push(parse_quote!(_private: ()));
                }
            } else if hidden {
                item.fields = Fields::Unnamed(parse_quote!((_private)));
            }
        }
        Item::Trait(item) => {
            item.attrs.retain(is_telling);
            for inner in &mut item.items {
                if let TraitItem::Fn(method) = inner {
                    method.attrs.retain(is_telling);
                    let body = method.default.is_some();
                    method.default = body.then(|| parse_quote!({}));
                }
            }
        }
        _ => {}
    }
    item
}
