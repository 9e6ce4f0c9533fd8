(comment) @aside
(field_declaration tag: (_) @aside)
; Alone, not in a group.
((type_declaration (_) @item) @whole (#not-match? @whole "^type\\s*\\("))
((const_declaration (const_spec) @item) @whole (#not-match? @whole "^const\\s*\\("))
((var_declaration (var_spec) @item) @whole (#not-match? @whole "^var\\s*\\("))

(function_declaration name: (identifier) @name result: (_)? @type body: (_)? @body) @definition.function
(method_declaration receiver: (parameter_list (parameter_declaration type: (_) @owner))
  name: (_) @name result: (_)? @type body: (_)? @body) @definition.function
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.type
(type_spec name: (_) @name type: (interface_type "{" @body "}" @body)) @definition.type
(type_spec name: (_) @name) @definition.type
(type_alias name: (_) @name) @definition.type
(field_declaration name: (_) @name type: (_) @type) @definition.field
(method_elem name: (_) @name result: (_)? @type) @definition.function
(const_spec name: (identifier) @name value: (_)? @body) @definition.constant
(var_spec name: (identifier) @name value: (_)? @body) @definition.constant

(import_spec path: (_) @path) @import
(import_spec name: (package_identifier) @name path: (_)) @import

; What is bound here is no reference, and neither are later uses of it.
(parameter_declaration name: (identifier) @binding type: (_) @type)
(variadic_parameter_declaration name: (identifier) @binding)
(short_var_declaration left: (expression_list . (identifier) @binding) right: (expression_list . (_) @value))
(short_var_declaration left: (expression_list (identifier) @binding))
(range_clause left: (expression_list (identifier) @binding) right: (_) @value)
(var_spec name: (identifier) @binding type: (_)? @type)
(type_parameter_declaration name: (identifier) @binding)

(selector_expression operand: (identifier) @receiver field: (field_identifier) @reference.member)
(selector_expression field: (field_identifier) @reference.member)
(qualified_type package: (package_identifier) @receiver name: (type_identifier) @reference.member)
((identifier) @reference
  (#not-any-of? @reference "_" "append" "cap" "clear" "close" "copy" "delete" "len" "make" "max" "min" "new" "panic" "print" "println" "recover"))
((type_identifier) @reference
  (#not-any-of? @reference "any" "bool" "byte" "comparable" "complex64" "complex128" "error" "float32" "float64" "int" "int8" "int16" "int32" "int64"
    "rune" "string" "uint" "uint8" "uint16" "uint32" "uint64" "uintptr"))
