import { composeServices as composeWithApollo } from '@apollo/composition';
import { composeServices as composeWithGuild } from '@theguild/federation-composition';
import { type DocumentNode, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { readSdl } from './sdl.ts';

const teams = readSdl('schema.graphql');
const psaCore = readSdl('examples/supergraph/psa-core/schema.graphql');

interface Composition {
  supergraphSdl?: string | undefined;
  messages: string[];
}

const composers: Record<string, (services: Service[]) => Composition> = {
  '@apollo/composition': (services) => {
    const { supergraphSdl, errors, hints } = composeWithApollo(services);
    // Each subgraph describes a shared type from its own side.
    const told = hints?.filter(({ definition }) => definition.code !== 'INCONSISTENT_DESCRIPTION');
    return { supergraphSdl, messages: [...(errors ?? []), ...(told ?? [])].map(String) };
  },
  '@theguild/federation-composition': (services) => {
    const { supergraphSdl, errors } = composeWithGuild(services);
    return { supergraphSdl, messages: (errors ?? []).map(({ message }) => message) };
  },
};

interface Service {
  name: string;
  url: string;
  typeDefs: DocumentNode;
}

function services(teamsMeetings: DocumentNode): Service[] {
  return [
    { name: 'psa-core', url: 'http://psa-core.example/graphql', typeDefs: psaCore },
    { name: 'teams-meetings', url: 'http://teams-meetings.example/graphql', typeDefs: teamsMeetings },
  ];
}

/** schema.graphql with one thing changed in its text. */
function changed(from: string, to: string): DocumentNode {
  const text = print(teams);
  expect(text).toContain(from);
  return parse(text.replace(from, to));
}

describe.each(Object.entries(composers))('composed by %s', (_, compose) => {
  it('makes a supergraph with the PSA core, without a complaint', () => {
    const { supergraphSdl, messages } = compose(services(teams));
    expect(messages).toEqual([]);
    expect(supergraphSdl).toContain('teamsMeeting: TeamsMeeting');
  });

  it('shares PageInfo with another subgraph', () => {
    const other = parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable"])
      type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
      type Query { tickets: PageInfo! }
    `);
    const all = [...services(teams), { name: 'tickets', url: 'http://tickets.example/graphql', typeDefs: other }];
    expect(compose(all).messages).toEqual([]);
  });

  it.each([
    ['a key that does not exist', '@key(fields: "id", resolvable: false)', '@key(fields: "number", resolvable: false)'],
    ['a required field that does not exist', 'client { id name email', 'client { id nickname email'],
    ['a field that the PSA core owns', 'name: String @external', 'name: String'],
    ['an external field of another type', 'name: String @external', 'name: Int @external'],
    ['a type that does not exist', 'joinUrl: URL', 'joinUrl: Link'],
  ])('refuses %s', (_case, from, to) => {
    const { supergraphSdl, messages } = compose(services(changed(from, to)));
    expect(supergraphSdl).toBeUndefined();
    expect(messages.length).toBeGreaterThan(0);
  });
});
