(comment) @aside
(decorator) @aside
(export_statement declaration: (_) @item) @whole

(class_declaration name: (_) @name (class_heritage)? @base body: (_) @body) @definition.type
(function_declaration name: (_) @name body: (_) @body) @definition.function
(generator_function_declaration name: (_) @name body: (_) @body) @definition.function
(class_body (method_definition name: (_) @name body: (_) @body) @definition.function)
(field_definition property: (_) @name value: (arrow_function body: (_) @body)) @definition.function
(field_definition property: (_) @name value: (_)? @body @value) @definition.field

(program (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function)
(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function)
(program (expression_statement (assignment_expression left: (member_expression property: (_) @name)
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @definition.function)
(program (lexical_declaration (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.constant
  (#not-match? @body "^require\\("))
(program (variable_declaration (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.constant
  (#not-match? @body "^require\\("))
(export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.constant)

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
(variable_declarator name: (identifier) @binding value: (_)? @value)
(formal_parameters (identifier) @binding)
(assignment_pattern left: (identifier) @binding)
(rest_pattern (identifier) @binding)
(arrow_function parameter: (identifier) @binding)
(array_pattern (identifier) @binding)
(shorthand_property_identifier_pattern) @binding
(for_in_statement left: (identifier) @binding right: (_) @value)
(catch_clause parameter: (identifier) @binding)

(member_expression object: [(identifier) (this)] @receiver property: (property_identifier) @reference.member)
(member_expression property: (property_identifier) @reference.member)
((identifier) @reference (#not-any-of? @reference "undefined" "require" "console" "NaN" "Infinity"))
(shorthand_property_identifier) @reference
