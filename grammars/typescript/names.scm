(comment) @aside
(decorator) @aside
(export_statement declaration: (_) @item) @whole
(ambient_declaration (_) @item) @whole

(class_declaration name: (_) @name (class_heritage)? @base body: (_) @body) @definition.type
(abstract_class_declaration name: (_) @name (class_heritage)? @base body: (_) @body) @definition.type
(interface_declaration name: (_) @name (extends_type_clause)? @base body: (_) @body) @definition.type
(enum_declaration name: (_) @name body: (_) @body) @definition.type
(type_alias_declaration name: (_) @name) @definition.type
(internal_module name: (_) @name body: (_) @body) @definition.module
(module name: (_) @name body: (_) @body) @definition.module

(function_declaration name: (_) @name return_type: (_)? @type body: (_) @body) @definition.function
(generator_function_declaration name: (_) @name body: (_) @body) @definition.function
(function_signature name: (_) @name return_type: (_)? @type) @definition.function
(class_body (method_definition name: (_) @name return_type: (_)? @type body: (_) @body) @definition.function)
(method_signature name: (_) @name return_type: (_)? @type) @definition.function
(abstract_method_signature name: (_) @name return_type: (_)? @type) @definition.function
(public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @definition.function
(public_field_definition name: (_) @name type: (_)? @type value: (_)? @body @value) @definition.field
(interface_body (property_signature name: (_) @name type: (_)? @type) @definition.field)
(enum_body name: (_) @name @definition.field)
(enum_body (enum_assignment name: (_) @name) @definition.field)

(program (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function)
(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function)
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.constant
  (#not-match? @body "^require\\("))
(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.constant)
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name)) @definition.constant)

(import_statement source: (string) @path) @import
(import_statement (import_clause (identifier) @name) source: (_)) @import
(import_statement (import_clause (namespace_import (identifier) @name)) source: (_)) @import
(import_statement (import_clause (named_imports (import_specifier !alias name: (_) @name))) source: (_)) @import
(import_statement (import_clause (named_imports (import_specifier alias: (_) @name))) source: (_)) @import
(export_statement source: (string) @path) @import
(variable_declarator name: (identifier) @name value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @path .))
  (#eq? @_require "require")) @import
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @name) value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @path .))
  (#eq? @_require "require")) @import

; What is bound here is no reference, and neither are later uses of it.
(variable_declarator name: (identifier) @binding type: (_)? @type value: (_)? @value)
(required_parameter pattern: (identifier) @binding type: (_)? @type)
(optional_parameter pattern: (identifier) @binding type: (_)? @type)
(arrow_function parameter: (identifier) @binding)
(array_pattern (identifier) @binding)
(shorthand_property_identifier_pattern) @binding
(for_in_statement left: (identifier) @binding right: (_) @value)
(catch_clause parameter: (identifier) @binding)
(type_parameter name: (type_identifier) @binding)

(member_expression object: [(identifier) (this)] @receiver property: (property_identifier) @reference.member)
(member_expression property: (property_identifier) @reference.member)
(nested_type_identifier module: (identifier) @receiver name: (type_identifier) @reference.member)
((identifier) @reference (#not-any-of? @reference "undefined" "require" "console" "NaN" "Infinity"))
(shorthand_property_identifier) @reference
((type_identifier) @reference
  (#not-any-of? @reference "Array" "Promise" "Record" "Partial" "Readonly" "Pick" "Omit" "Map" "Set" "Date" "Error"))
