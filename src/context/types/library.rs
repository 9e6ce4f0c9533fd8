//! What is known of libraries without reading them: types that hold another one, and how to get at it. Pure.

/// Around another type, and no receiver themselves: what is in them is what is meant.
pub const WRAPPERS: [&str; 32] = [
    "Option",
    "Result",
    "Arc",
    "Rc",
    "Box",
    "Pin",
    "Cow",
    "RefCell",
    "Cell",
    "Mutex",
    "RwLock",
    "Weak",
    "Vec",
    "VecDeque",
    "Ref",
    "RefMut",
    "MutexGuard",
    "Poll",
    "Optional",
    "List",
    "Iterator",
    "Iterable",
    "Sequence",
    "Awaitable",
    "Generator",
    "AsyncIterator",
    "ContextManager",
    "ClassVar",
    "Promise",
    "Readonly",
    "Array",
    "Self",
];

/// Those of them that can be used as what is in them.
pub const POINTERS: [&str; 12] = [
    "Arc",
    "Rc",
    "Box",
    "Pin",
    "Cow",
    "Ref",
    "RefMut",
    "MutexGuard",
    "Optional",
    "ClassVar",
    "Readonly",
    "Self",
];

/// What is said of a type besides its name.
pub const QUALIFIERS: [&str; 6] = ["mut", "dyn", "impl", "const", "struct", "final"];

/// Methods that give what they are called on, or what is in it.
pub const TRANSPARENT: [&str; 44] = [
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "clone",
    "cloned",
    "copied",
    "as_ref",
    "as_mut",
    "as_deref",
    "as_deref_mut",
    "borrow",
    "borrow_mut",
    "lock",
    "read",
    "write",
    "iter",
    "iter_mut",
    "into_iter",
    "ok",
    "ok_or",
    "ok_or_else",
    "map_err",
    "to_owned",
    "get",
    "get_mut",
    "get_or_insert_with",
    "first",
    "last",
    "first_mut",
    "last_mut",
    "next",
    "peek",
    "pop",
    "take",
    "values",
    "values_mut",
    "filter",
    "rev",
    "enumerate",
    "into_inner",
    "or_else",
    "inspect_err",
];

/// Those of them that take it out.
pub const UNWRAPPING: [&str; 8] = [
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "get_or_insert_with",
    "borrow",
    "borrow_mut",
];

/// Those of them that any value has.
pub const OF_ANY: [&str; 4] = ["clone", "as_ref", "as_mut", "to_owned"];

/// Where nothing is the workspace's, whatever it is called.
pub const STANDARD: [&str; 3] = ["std", "core", "alloc"];
