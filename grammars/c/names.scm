(comment) @aside

(struct_specifier name: (_) @name body: (_) @body) @definition.type
(union_specifier name: (_) @name body: (_) @body) @definition.type
(enum_specifier name: (_) @name body: (_) @body) @definition.type
(type_definition type: [(struct_specifier !name body: (_) @body) (union_specifier !name body: (_) @body) (enum_specifier !name body: (_) @body)]
  declarator: (type_identifier) @name) @definition.type
(type_definition declarator: (type_identifier) @name) @definition.type
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @definition.type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @definition.type
(preproc_function_def name: (_) @name value: (_)? @body) @definition.macro
(preproc_def name: (_) @name value: (_) @body) @definition.constant

(function_definition type: (_) @type declarator: [
  (function_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
  (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
] body: (_) @body) @definition.function
(declaration declarator: [
  (function_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
  (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
]) @definition.function
(field_declaration type: (_) @type declarator: [
  (field_identifier) @name
  (pointer_declarator declarator: (field_identifier) @name)
  (pointer_declarator declarator: (pointer_declarator declarator: (field_identifier) @name))
  (array_declarator declarator: (field_identifier) @name)
  (pointer_declarator declarator: (array_declarator declarator: (field_identifier) @name))
  (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (field_identifier) @name)))
]) @definition.field
(enumerator name: (_) @name) @definition.field
(declaration declarator: [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)
  (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
]) @definition.constant
(declaration declarator: (init_declarator declarator: [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)
  (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
] value: (_) @body)) @definition.constant

(preproc_include path: (_) @path) @import

; What is bound here is no reference, and neither are later uses of it.
(parameter_declaration type: (_) @type declarator: [
  (identifier) @binding
  (pointer_declarator declarator: (identifier) @binding)
  (array_declarator declarator: (identifier) @binding)
])
(declaration type: (_) @type declarator: (init_declarator declarator: [
  (identifier) @binding
  (pointer_declarator declarator: (identifier) @binding)
  (array_declarator declarator: (identifier) @binding)
] value: (_)? @value))
(init_declarator declarator: [
  (identifier) @binding
  (pointer_declarator declarator: (identifier) @binding)
  (array_declarator declarator: (identifier) @binding)
])
(declaration type: (_) @type declarator: [
  (identifier) @binding
  (pointer_declarator declarator: (identifier) @binding)
  (array_declarator declarator: (identifier) @binding)
])

(field_expression argument: [(identifier)] @receiver field: (field_identifier) @reference.member)
(field_expression field: (_) @reference.member)
((identifier) @reference (#not-any-of? @reference "NULL" "stdin" "stdout" "stderr"))
((type_identifier) @reference (#not-any-of? @reference "size_t" "ssize_t" "FILE" "auto"))
