(block_comment) @aside
(line_comment) @aside
(marker_annotation) @aside
(annotation) @aside

(class_declaration name: (_) @name superclass: (_)? @base interfaces: (_)? @base body: (_) @body) @definition.type
(interface_declaration name: (_) @name (extends_interfaces)? @base body: (_) @body) @definition.type
(enum_declaration name: (_) @name body: (_) @body) @definition.type
(record_declaration name: (_) @name body: (_) @body) @definition.type
(annotation_type_declaration name: (_) @name body: (_) @body) @definition.type
(method_declaration type: (_) @type name: (_) @name body: (_)? @body) @definition.function
(constructor_declaration name: (_) @name body: (_) @body) @definition.function
(compact_constructor_declaration name: (_) @name body: (_) @body) @definition.function
(annotation_type_element_declaration name: (_) @name) @definition.function
(field_declaration type: (_) @type declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.field
(constant_declaration declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.constant
(enum_constant name: (_) @name body: (_)? @body) @definition.field

(import_declaration (scoped_identifier name: (_) @name) @path .) @import
(import_declaration (_) @path (asterisk)) @import
(import_declaration (identifier) @path @name .) @import
; Brings nothing, refers to nothing.
(package_declaration) @import

; What is bound here is no reference, and neither are later uses of it.
(formal_parameter type: (_) @type name: (identifier) @binding)
(spread_parameter (variable_declarator name: (identifier) @binding))
(local_variable_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @binding value: (_)? @value))
(enhanced_for_statement type: (_) @type name: (identifier) @binding)
(lambda_expression parameters: (identifier) @binding)
(inferred_parameters (identifier) @binding)
(catch_formal_parameter name: (identifier) @binding)
(resource type: (_) @type name: (identifier) @binding)
(type_parameter (type_identifier) @binding)

(method_invocation object: [(identifier) (this)] @receiver name: (identifier) @reference.member)
(method_invocation object: (_) name: (identifier) @reference.member)
(field_access object: [(identifier) (this)] @receiver field: (identifier) @reference.member)
(field_access field: (identifier) @reference.member)
(method_reference [(identifier) (this)] @qualifier "::" (identifier) @reference.segment)
(scoped_type_identifier (type_identifier) @receiver (type_identifier) @reference.member)
((identifier) @reference (#not-any-of? @reference "String" "Object" "System" "Override" "Math"))
((type_identifier) @reference (#not-any-of? @reference "String" "Object" "Integer" "Long" "Double" "Boolean" "var"))
