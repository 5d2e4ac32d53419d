//! The crate's modules as they stand in the files, and which name means which item.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Item, UseTree, Visibility};

/// Where an item is defined: the module, and its name there.
pub type Place = (String, String);

/// All modules by path; the root is the empty one.
pub struct Source(pub BTreeMap<String, Vec<Item>>);

pub fn below(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        _ => format!("{module}::{name}"),
    }
}

pub fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

impl Source {
    pub fn read(root: &Path) -> Self {
        let mut source = Self(BTreeMap::new());
        let folder = root.parent().unwrap();
        source.read_file(root, folder, "");
        source
    }

    /// `folder` is where the module's own modules are.
    fn read_file(&mut self, file: &Path, folder: &Path, module: &str) {
        let text = fs::read_to_string(file).unwrap();
        let items = syn::parse_file(&text).unwrap().items;
        self.read_items(items, folder, module);
    }

    fn read_items(&mut self, mut items: Vec<Item>, folder: &Path, module: &str) {
        items.retain(|item| !is_for_tests(item));
        for item in &mut items {
            let Item::Mod(child) = item else { continue };
            let name = child.ident.to_string();
            let path = below(module, &name);
            let folder_of_child = folder.join(&name);
            match child.content.take() {
                Some((_, items)) => self.read_items(items, &folder_of_child, &path),
                None => {
                    let file = [
                        folder.join(format!("{name}.rs")),
                        folder_of_child.join("mod.rs"),
                    ];
                    let file = file.iter().find(|file| file.exists()).unwrap();
                    self.read_file(file, &folder_of_child, &path);
                }
            }
        }
        self.0.insert(module.to_owned(), items);
    }

    /// What a path means in a module: an item of the crate, if it is one.
    pub fn resolve(&self, module: &str, path: &[String]) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        match first.as_str() {
            "crate" => self.resolve(rest.len().min(1).checked_sub(1).map(|_| "")?, rest),
            "self" => self.resolve(module, rest),
            "super" => self.resolve(parent, rest),
            name => {
                let child = below(module, name);
                if self.0.contains_key(&child) {
                    return match rest {
                        [] => Some((child, String::new())),
                        _ => self.resolve(&child, rest),
                    };
                }
                if self.defines(module, name) {
                    return Some((module.to_owned(), name.to_owned()));
                }
                let imported = self
                    .imports(module)
                    .into_iter()
                    .find(|(as_name, _)| as_name == name);
                let (_, mut path) = imported?;
                path.extend(rest.iter().cloned());
                self.resolve(module, &path)
            }
        }
    }

    fn defines(&self, module: &str, name: &str) -> bool {
        self.0[module]
            .iter()
            .any(|item| name_of(item).as_deref() == Some(name))
    }

    fn imports(&self, module: &str) -> Vec<(String, Vec<String>)> {
        let uses = self.0[module].iter().filter_map(|item| match item {
            Item::Use(item) => Some(&item.tree),
            _ => None,
        });
        uses.flat_map(|tree| names(tree, &[])).collect()
    }
}

fn is_for_tests(item: &Item) -> bool {
    let Item::Mod(module) = item else {
        return false;
    };
    module.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The names that a `use` brings in, each with what it stands for.
pub fn names(tree: &UseTree, before: &[String]) -> Vec<(String, Vec<String>)> {
    let with = |name: String| [before, &[name]].concat();
    match tree {
        UseTree::Path(path) => names(&path.tree, &with(path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => {
            vec![(before.last().cloned().unwrap_or_default(), before.to_vec())]
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), with(name.ident.to_string()))],
        UseTree::Rename(rename) => {
            vec![(rename.rename.to_string(), with(rename.ident.to_string()))]
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|tree| names(tree, before))
            .collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

/// The name that an item defines; for the invocation of a macro, the type that it makes.
pub fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) if item.ident.is_none() => return super::macros::made(item),
        _ => return None,
    };
    Some(ident.to_string())
}
