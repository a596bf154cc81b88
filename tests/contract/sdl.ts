import { readFileSync } from 'node:fs';
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  isTypeDefinitionNode,
  parse,
  print,
  type TypeDefinitionNode,
} from 'graphql';

type ElementNode = TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode;

/** One named thing of a schema. */
export interface SchemaElement {
  /** What a client relies on: kind or type, interfaces, default value. */
  signature: string;
  directives: string[];
  description: string | undefined;
  /** Whether a caller must give it: an argument or input field that is neither nullable nor has a default. */
  isRequiredInput: boolean;
}

/** Reads and parses an SDL file, by its path from the project's root. */
export function readSdl(path: string): DocumentNode {
  return parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}

/** All elements of an SDL by schema coordinate: `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
export function schemaElements(document: DocumentNode): Map<string, SchemaElement> {
  const elements = new Map<string, SchemaElement>();
  const add = (coordinate: string, node: ElementNode): void => {
    elements.set(coordinate, {
      signature: signatureOf(node),
      directives: (node.directives as readonly ConstDirectiveNode[] | undefined)?.map(print) ?? [],
      description: node.description?.value.trim(),
      isRequiredInput:
        node.kind === 'InputValueDefinition' && node.type.kind === 'NonNullType' && node.defaultValue === undefined,
    });
  };
  for (const type of document.definitions.filter(isTypeDefinitionNode)) {
    const name = type.name.value;
    add(name, type);
    for (const value of 'values' in type ? (type.values ?? []) : []) add(`${name}.${value.name.value}`, value);
    for (const field of 'fields' in type ? (type.fields ?? []) : []) {
      const coordinate = `${name}.${field.name.value}`;
      add(coordinate, field);
      if (field.kind === 'InputValueDefinition') continue;
      for (const argument of field.arguments ?? []) add(`${coordinate}(${argument.name.value}:)`, argument);
    }
  }
  return elements;
}

function signatureOf(node: ElementNode): string {
  if (node.kind === 'EnumValueDefinition') return 'value';
  if (node.kind === 'FieldDefinition') return print(node.type);
  if (node.kind === 'InputValueDefinition') {
    return node.defaultValue ? `${print(node.type)} = ${print(node.defaultValue)}` : print(node.type);
  }
  const interfaces = 'interfaces' in node ? (node.interfaces ?? []).map(print).sort() : [];
  return [node.kind, ...interfaces].join(' & ');
}
