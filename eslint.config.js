// ESLint checks schema.graphql only; Biome does everything else.
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import graphql from '@graphql-eslint/eslint-plugin';
import { parse, printSchema } from 'graphql';

// Handed over ready-made, because the plugin's own way of building a federation schema passes one module where
// @apollo/subgraph 2.15 takes a list.
const typeDefs = parse(readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'));
const schema = printSchema(buildSubgraphSchema([{ typeDefs }]));

export default [
  {
    files: ['schema.graphql'],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema } },
    },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          DirectiveDefinition: true,
          EnumValueDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
        },
      ],
      '@graphql-eslint/input-name': ['error', { checkInputType: true, caseSensitiveInputType: false }],
      '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',
      // One line where one line says it all, a block where it does not.
      '@graphql-eslint/description-style': 'off',
      // Value objects such as a check or an edge have no identity.
      '@graphql-eslint/strict-id-in-types': 'off',
    },
  },
];
