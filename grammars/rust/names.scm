; Comments and attributes: left out of signatures.
(line_comment) @aside
(block_comment) @aside
(attribute_item) @aside

; What no other file sees.
((attribute_item) @_cfg . (attribute_item)* . (mod_item name: (identifier) @name body: (_) @body) @omit
  (#match? @_cfg "^#\\[cfg\\((all\\()?test\\b"))

(impl_item trait: (_)? @base type: (_) @name body: (declaration_list) @body) @container

(function_item name: (identifier) @name return_type: (_)? @type body: (block) @body) @definition.function
(function_signature_item name: (identifier) @name return_type: (_)? @type) @definition.function
(macro_definition name: (identifier) @name . (_) @body) @definition.macro
(struct_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.type
(struct_item name: (type_identifier) @name) @definition.type
(union_item name: (type_identifier) @name body: (_) @body) @definition.type
(enum_item name: (type_identifier) @name body: (_) @body) @definition.type
(trait_item name: (type_identifier) @name bounds: (_)? @base body: (_) @body) @definition.type
(type_item name: (type_identifier) @name type: (_) @type) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(const_item name: (identifier) @name type: (_) @type value: (_)? @body) @definition.constant
(static_item name: (identifier) @name type: (_) @type value: (_)? @body) @definition.constant
(mod_item name: (identifier) @name body: (_)? @body) @definition.module
(struct_item body: (field_declaration_list (field_declaration name: (_) @name type: (_) @type) @definition.field))
(union_item body: (field_declaration_list (field_declaration name: (_) @name type: (_) @type) @definition.field))
(enum_variant name: (identifier) @name) @definition.field

; A scope's text before its list stands before every path in it.
(scoped_use_list list: (use_list) @list) @scope
(use_declaration argument: (identifier) @import @path @name)
(use_declaration argument: (scoped_identifier name: (_) @name) @import @path)
(use_list (identifier) @import @path @name)
(use_list (scoped_identifier name: (_) @name) @import @path)
(use_list (self) @import)
(use_as_clause path: (_) @path alias: (_) @name) @import
(use_wildcard (_) @path) @import
(extern_crate_declaration name: (identifier) @path @name) @import

; What is bound here is no reference, and neither are later uses of it.
(let_declaration pattern: (identifier) @binding type: (_)? @type value: (_)? @value)
(let_declaration pattern: (tuple_struct_pattern type: (identifier) @_some (identifier) @binding) value: (_) @value
  (#any-of? @_some "Some" "Ok"))
(let_condition pattern: (tuple_struct_pattern type: (identifier) @_some (identifier) @binding) value: (_) @value
  (#any-of? @_some "Some" "Ok"))
(match_expression value: (_) @value body: (match_block (match_arm pattern: (match_pattern
  (tuple_struct_pattern type: (identifier) @_some (identifier) @binding))))
  (#any-of? @_some "Some" "Ok"))
(parameter pattern: (identifier) @binding type: (_) @type)
(closure_parameters (identifier) @binding)
(for_expression pattern: (identifier) @binding value: (_) @value)
(tuple_pattern (identifier) @binding)
(mut_pattern (identifier) @binding)
(field_pattern name: (shorthand_field_identifier) @binding)
(tuple_struct_pattern type: (_) (identifier) @binding)
(type_parameter name: (type_identifier) @binding)

(field_expression value: [(identifier) (self)] @receiver field: (field_identifier) @reference.member)
(field_identifier) @reference.member
(scoped_identifier path: (_) @qualifier name: (identifier) @reference.segment)
(scoped_type_identifier path: (_) @qualifier name: (type_identifier) @reference.segment)
((identifier) @reference
  (#not-any-of? @reference "Some" "None" "Ok" "Err" "self" "crate" "super" "_"
    "println" "print" "eprintln" "format" "vec" "panic" "assert" "assert_eq" "assert_ne" "matches"
    "todo" "unreachable" "unimplemented" "write" "writeln" "derive" "cfg" "test" "inline" "allow" "must_use"))
((type_identifier) @reference
  (#not-any-of? @reference "Self" "String" "Vec" "Option" "Result" "Box"))
