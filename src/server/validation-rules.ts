import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { GraphQLError, type ValidationContext, type ValidationRule } from 'graphql';

/** What one operation may ask for. The deepest useful read is 9 deep; a gateway's entity query adds 2. */
const LIMITS = { depth: 15, aliases: 30, cost: 20_000 };

/** A limit that throws would leave as an error of ours; reported, it is an error of the operation. */
const reported = {
  propagateOnRejection: false,
  onReject: [(context: ValidationContext | null, error: GraphQLError) => context?.reportError(error)],
};

/** graphql-js finds out about an operation that the schema has not only when it executes it, as an error of ours. */
const knownOperationRule: ValidationRule = (context) => ({
  OperationDefinition(node) {
    if (context.getSchema().getRootType(node.operation)) return;
    context.reportError(new GraphQLError(`The schema has no ${node.operation}.`, { nodes: node }));
  },
});

/** What an operation must hold besides the rules of GraphQL itself. */
export const VALIDATION_RULES: ValidationRule[] = [
  maxDepthRule({ ...reported, n: LIMITS.depth, ignoreIntrospection: true }) as ValidationRule,
  maxAliasesRule({ ...reported, n: LIMITS.aliases, allowList: [] }) as ValidationRule,
  costLimitRule({ ...reported, maxCost: LIMITS.cost, ignoreIntrospection: true }) as ValidationRule,
  knownOperationRule,
];
