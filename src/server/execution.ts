import {
  type ASTNode,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { GraphQLContext } from '../resolvers/context.ts';
import type { Logger } from '../services/scope.ts';

/** An operation that was parsed and found valid. */
export interface ValidOperation {
  document: DocumentNode;
  /** The one of the document that was asked for; undefined when the document has none, or several and no choice. */
  operation: OperationDefinitionNode | undefined;
  operationName: string | undefined;
  variables: Record<string, unknown> | undefined;
  context: GraphQLContext;
}

export type Execute = (operation: ValidOperation) => ExecutionResult | Promise<ExecutionResult>;

/** Executes as graphql-js does: the measure for every other way. */
export function interpretingExecute(schema: GraphQLSchema): Execute {
  return ({ document, operationName, variables, context }) =>
    execute({ schema, document, operationName, variableValues: variables, contextValue: context });
}

/**
 * Whether graphql-jit 0.8 gives the answer of graphql-js, and writes nothing of the client's into its functions. It writes
 * literals into them, and has marks for those that JSON lacks: a text that holds one would be run as code (its
 * execution.js, objectStringify). So no document with a text in it is compiled; clients that ask again and again send
 * variables. A variable that was left out is null inside an input object there, where graphql-js leaves out the field; and
 * of fields that stand under `@skip` or `@include` in one place and without it in another it forgets one.
 */
function isCompilable(document: DocumentNode): boolean {
  let isGood = true;
  const refuse = () => {
    isGood = false;
  };
  visit(document, {
    Directive: refuse,
    StringValue: refuse,
    Name({ value }) {
      if (value.startsWith(MARK)) refuse();
    },
    Variable(_node, _key, parent) {
      const { kind } = parent as ASTNode;
      if (kind !== Kind.ARGUMENT && kind !== Kind.VARIABLE_DEFINITION) refuse();
    },
  });
  return isGood;
}

/** How many fields an operation has where each fragment stands in every place that spreads it, as it is compiled. */
function fieldsOf(document: DocumentNode, operation: OperationDefinitionNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const counted = new Map<string, number>();
  const count = ({ selections }: SelectionSetNode): number =>
    selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return sum + countFragment(selection.name.value);
      const own = selection.kind === Kind.FIELD ? 1 : 0;
      return sum + own + (selection.selectionSet === undefined ? 0 : count(selection.selectionSet));
    }, 0);
  const countFragment = (name: string): number => {
    const fragment = fragments.get(name);
    const known = counted.get(name) ?? (fragment === undefined ? 0 : count(fragment.selectionSet));
    counted.set(name, known);
    return known;
  };
  return count(operation.selectionSet);
}

/** A field that was selected in several places is told with all of their names by graphql-jit. */
const SEVERAL_PLACES = /\.\((\w+)(?:,\w+)+\)\.$/;

/** An error as graphql-js makes it: Apollo reads `extensions`, which graphql-jit leaves out where there are none. */
function asGraphqlJs({ message, path, locations, originalError, extensions }: GraphQLError): GraphQLError {
  const told = message.replace(SEVERAL_PLACES, '.$1.');
  return Object.assign(new GraphQLError(told, { path, originalError, extensions }), { locations });
}

interface Compiled {
  run: Execute;
  fields: number;
}

/** With what every mark of graphql-jit begins. */
const MARK = '__MAGIC';
/** Fields of one operation that are compiled at most, and of all that are kept: each takes about a kilobyte. */
const MOST_FIELDS = 1_000;
const MOST_FIELDS_KEPT = 20_000;
const MOST_KEPT = 250;

/** Most of what is sent once is never sent again. */
const COMPILED_AT_USE = 2;

/**
 * Executes by functions that are compiled from the operations that come again and again. What cannot be compiled, and
 * variables that do not fit, are left to graphql-js, whose messages clients know; and so is who has no token.
 *
 * @param compiledAtUse at which use of an operation it is compiled
 */
export function compilingExecute(schema: GraphQLSchema, logger: Logger, compiledAtUse = COMPILED_AT_USE): Execute {
  const interpret = interpretingExecute(schema);
  // Keyed by what the store of documents holds: what it forgets is forgotten here.
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const compiled = new LRUCache<OperationDefinitionNode, Compiled>({
    max: MOST_KEPT,
    maxSize: MOST_FIELDS_KEPT,
    sizeCalculation: ({ fields }) => fields,
  });

  function compile(document: DocumentNode, operationName: string | undefined): Execute {
    if (!isCompilable(document)) return interpret;
    try {
      const result = compileQuery(schema, document, operationName);
      if (isCompiledQuery(result))
        return async (operation) => {
          // graphql-jit takes a list for an input object.
          const { variableDefinitions = [] } = operation.operation ?? {};
          if ('errors' in getVariableValues(schema, variableDefinitions, operation.variables ?? {}, { maxErrors: 1 }))
            return interpret(operation);
          const answer = await result.query(undefined, operation.context, operation.variables);
          if (!('data' in answer)) return interpret(operation);
          return answer.errors === undefined ? answer : { ...answer, errors: answer.errors.map(asGraphqlJs) };
        };
      throw result.errors?.[0] ?? new Error('graphql-jit gave neither a query nor an error');
    } catch (err) {
      logger.warn({ err }, 'an operation cannot be compiled and is interpreted');
      return interpret;
    }
  }

  return (asked) => {
    const { operation, document, operationName } = asked;
    // Who has no token gets nothing that would be worth it, and could have as much compiled as they like.
    if (operation === undefined || asked.context.viewer === null) return interpret(asked);
    const known = compiled.get(operation);
    if (known !== undefined) return known.run(asked);
    const use = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, use);
    if (use < compiledAtUse) return interpret(asked);
    const fields = fieldsOf(document, operation);
    const run = fields > MOST_FIELDS ? interpret : compile(document, operationName);
    compiled.set(operation, { run, fields: run === interpret ? 1 : fields });
    return run(asked);
  };
}
