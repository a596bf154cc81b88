import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { GraphQLContext } from '../resolvers/context.ts';
import type { Logger } from '../services/scope.ts';
import { makeOperationStore } from './operation-store.ts';

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
 * Whether graphql-jit 0.8 gives the answer of graphql-js. It reads a literal of a custom scalar once and for all, so that
 * a variable inside it has no value; and of fields that stand under `@skip` or `@include` in one place and without it in
 * another it forgets one.
 */
function isCompilable(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let isGood = true;
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Directive() {
        isGood = false;
      },
      Variable() {
        // Inside a scalar nothing has a type.
        if (types.getInputType() == null) isGood = false;
      },
    }),
  );
  return isGood;
}

/** An error as graphql-js makes it: Apollo reads `extensions`, which graphql-jit leaves out where there are none. */
function asGraphqlJs({ message, path, locations, originalError, extensions }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError, extensions }), { locations });
}

interface Compiled {
  document: DocumentNode;
  run: Execute;
}

/** Most of what is sent once is never sent again. */
const COMPILED_AT_USE = 2;

/**
 * Executes by functions that are compiled from the operations that come again and again. What cannot be compiled, and
 * variables that do not fit, are left to graphql-js, whose messages clients know.
 *
 * @param compiledAtUse at which use of an operation it is compiled
 */
export function compilingExecute(schema: GraphQLSchema, logger: Logger, compiledAtUse = COMPILED_AT_USE): Execute {
  const interpret = interpretingExecute(schema);
  // Keyed by what the store of documents holds: what it forgets is forgotten here.
  const uses = new WeakMap<OperationDefinitionNode, number>();
  const compiled = makeOperationStore<OperationDefinitionNode, Compiled>(({ document }) => document);

  function compile(document: DocumentNode, operationName: string | undefined): Execute {
    if (!isCompilable(schema, document)) return interpret;
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
    if (operation === undefined) return interpret(asked);
    const known = compiled.get(operation);
    if (known !== undefined) return known.run(asked);
    const use = (uses.get(operation) ?? 0) + 1;
    uses.set(operation, use);
    if (use < compiledAtUse) return interpret(asked);
    const run = compile(document, operationName);
    compiled.set(operation, { document, run });
    return run(asked);
  };
}
