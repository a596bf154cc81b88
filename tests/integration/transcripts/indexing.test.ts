import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { mutate, UPDATE_SETTINGS, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting, vttOf } from '../access/rows.ts';

const SEARCH = `query ($query: String!) { searchTranscripts(query: $query) { edges { node { excerpt } } } }`;
const READ = `query ($id: ID!, $first: Int, $after: String) { _entities(representations: [{ __typename: "MeetingTranscript", id: $id }]) { ... on MeetingTranscript {
  text durationSeconds unparsedCueCount speakers { name talkSeconds cueCount }
  cues(first: $first, after: $after) { totalCount edges { cursor node { index startSeconds text speaker } } pageInfo { hasNextPage endCursor } } } } }`;

let subgraph: TestSubgraph;
let token: string;
let tenant: string;
let count = 0;

beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  count += 1;
  tenant = `tenant-index-${count}`;
  token = await subgraph.tokens.token('admin', { tenant_id: tenant });
});

const scope = () => ({ viewer: backgroundViewer(tenant), db: subgraph.db.forTenant(tenant) });
const found = async (query: string) => {
  const { data, errors } = await subgraph.send<{ searchTranscripts: { edges: { node: { excerpt: string } }[] } }>(
    token,
    SEARCH,
    { query },
  );
  expect(errors).toEqual([]);
  return data?.searchTranscripts.edges.map(({ node }) => node.excerpt);
};
const read = async (variables: object) => {
  const { data, errors } = await subgraph.send<{ _entities: Record<string, unknown>[] }>(token, READ, { ...variables });
  expect(errors).toEqual([]);
  return data?._entities[0];
};
const setLanguage = (transcriptLanguage: string | null) =>
  mutate<{ settings: object | null; userErrors: UserErrorAnswer[] }>(subgraph, token, UPDATE_SETTINGS, {
    transcriptLanguage,
  });
/** As an earlier release left it: the bytes, and nothing derived from them. */
const forget = async () => {
  await subgraph.database.query('DELETE FROM transcript_passages WHERE tenant_id = $1', [tenant]);
  await subgraph.database.query(
    `UPDATE meeting_transcripts SET indexed_as = NULL, cue_count = 0, unparsed_lines = '{}', duration_seconds = NULL, speakers = '[]' WHERE tenant_id = $1`,
    [tenant],
  );
};
const jobs = () =>
  subgraph.database.query(
    "SELECT FROM graphile_worker.jobs WHERE task_identifier = 'index_transcripts' AND key LIKE $1",
    [`%:${tenant}:%`],
  );

describe('the language of transcripts', () => {
  it.each([
    ['en', ['approving budgets'], ['approved', 'budget'], '**approving** **budgets**'],
    ['de', ['die Verträge wurden verlängert'], ['vertrag', 'Verlängerungen'], /\*\*/],
    ['fr', ['les contrats signés'], ['contrat', 'signe'], /\*\*/],
    ['pt-BR', ['os contratos que não são assinados'], ['contrato', 'assinado'], /\*\*/],
  ])('%s finds inflected words in %j', async (language, lines, queries, excerpt) => {
    expect((await setLanguage(language)).userErrors).toEqual([]);
    await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(lines)] });
    const results = await Promise.all(queries.map(found));
    expect(results[0]?.[0] ?? '', JSON.stringify(results)).toMatch(typeof excerpt === 'string' ? /./ : excerpt);
    if (typeof excerpt === 'string') expect(await found(queries.join(' '))).toEqual([excerpt]);
  });

  it('finds words of no weight when nothing else is asked for, and leaves them out otherwise', async () => {
    await setLanguage('en');
    await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(['To be or what'])] });
    await storeMeeting(subgraph, tenant, { appointmentId: 'b', transcripts: [vttOf(['A budget'])] });
    expect(await found('what be')).toEqual(['To **be** or **what**']);
    expect(await found('the budgets')).toEqual(['A **budget**']);
    expect(await found('be -budget')).toEqual(['To **be** or what']);
    expect(await found('budget -what')).toEqual(['A **budget**']);
  });

  it('ranks the word as it is written above its inflections', async () => {
    await setLanguage('en');
    await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(['budgets'])] });
    await storeMeeting(subgraph, tenant, { appointmentId: 'b', transcripts: [vttOf(['budget'])] });
    await storeMeeting(subgraph, tenant, { appointmentId: 'c', transcripts: [vttOf(['budgeting'])] });
    expect((await found('budgets'))?.[0]).toBe('**budgets**');
    expect(await found('budgets')).toHaveLength(3);
  });

  it('can be changed: what is stored follows in the background, and is found as written meanwhile', async () => {
    await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(['approving budgets'])] });
    expect(await found('budget')).toEqual([]);
    await setLanguage('en');
    expect(await found('budgets')).toEqual(['approving **budgets**']);
    await subgraph.runJobs();
    expect(await found('budget')).toEqual(['approving **budgets**']);
    await setLanguage(null);
    await subgraph.runJobs();
    expect(await found('budget')).toEqual([]);
    expect(await jobs()).toEqual([]);
  });

  it.each(['xx', 'klingon', '', '__proto__', 'toString', "de'; --", 'et'])(
    '%j is no language of Postgres',
    async (language) => {
      const answer = await setLanguage(language);
      if (language === '') return expect(answer).toMatchObject({ userErrors: [] });
      expect(answer).toMatchObject({
        settings: null,
        userErrors: [
          { code: 'INVALID_INPUT', path: ['input', 'transcriptLanguage'], remedy: expect.stringContaining('de, ') },
        ],
      });
    },
  );

  it('is told by its code, and null when there is none', async () => {
    const language = async () =>
      (
        await subgraph.send<{ teamsSettings: { transcriptLanguage: string | null } }>(
          token,
          '{ teamsSettings { transcriptLanguage } }',
        )
      ).data?.teamsSettings.transcriptLanguage;
    await setLanguage('de-AT');
    expect(await language()).toBe('de');
    await setLanguage(null);
    expect(await language()).toBeNull();
  });
});

describe('transcripts that an earlier release stored', () => {
  const lines = Array.from({ length: 250 }, (_, i) => `line ${i} of the long transcript with some words in it`);

  it('are read from their bytes, page by page, exactly as afterwards', async () => {
    const { transcriptIds } = await storeMeeting(subgraph, tenant, {
      appointmentId: 'a',
      transcripts: [`${vttOf(lines)}\n\nlost\n`],
    });
    const id = transcriptIds[0];
    const pages = [
      { first: 3 },
      { first: 100, after: '99' },
      { first: 100, after: '200' },
      { after: '249' },
      { first: 1000 },
    ];
    const derived = await Promise.all(pages.map((page) => read({ id, ...page })));
    expect(derived[1]).toMatchObject({ unparsedCueCount: 1, cues: { totalCount: 250, edges: { length: 100 } } });
    await forget();
    expect(await Promise.all(pages.map((page) => read({ id, ...page })))).toEqual(derived);
  });

  it('are found once the sweep has planned their job', async () => {
    for (const n of ['a', 'b', 'c'])
      await storeMeeting(subgraph, tenant, { appointmentId: n, transcripts: [vttOf([`marmot ${n}`])] });
    await forget();
    expect(await found('marmot')).toEqual([]);
    await subgraph.services.sweepTenant(scope());
    await subgraph.runJobs();
    expect(await found('marmot')).toHaveLength(3);
    expect(await jobs()).toEqual([]);
    await subgraph.services.sweepTenant(scope());
    expect(await jobs(), 'there is nothing left to plan').toEqual([]);
  });

  it('hold up no other when one of them cannot be indexed', async () => {
    const [broken] = (
      await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(['lynx broken'])] })
    ).transcriptIds;
    await storeMeeting(subgraph, tenant, { appointmentId: 'b', transcripts: [vttOf(['lynx sound'])] });
    await forget();
    await subgraph.database.query(
      `CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.text LIKE '%broken%' THEN RAISE EXCEPTION 'lynx broken'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER a_refuses BEFORE INSERT ON transcript_passages FOR EACH ROW EXECUTE FUNCTION refuse_one()`,
    );
    try {
      await subgraph.services.indexTranscripts(scope());
      await subgraph.runJobs();
      expect(await found('lynx')).toEqual(['**lynx** sound']);
      expect(subgraph.logs.filter((line) => line.transcriptId === broken)).not.toEqual([]);
      expect(JSON.stringify(subgraph.logs)).not.toContain('lynx broken');
      expect(await jobs(), 'it is left to the next sweep').toEqual([]);
    } finally {
      await subgraph.database.query('DROP TRIGGER a_refuses ON transcript_passages; DROP FUNCTION refuse_one()');
    }
    await subgraph.services.indexTranscripts(scope());
    expect(await found('lynx')).toHaveLength(2);
  });

  it('may hold what no index takes: words and cues of any length, and no cue at all', async () => {
    const monster = `${'x'.repeat(70_000)} ${Array.from({ length: 300_000 }, (_, i) => `w${i.toString(36)}`).join(' ')}`;
    const { transcriptIds } = await storeMeeting(subgraph, tenant, {
      appointmentId: 'a',
      transcripts: [vttOf([monster, 'badger']), 'no transcript', 'WEBVTT\n'],
    });
    expect(await found('badger')).toEqual(['**badger**']);
    expect(await read({ id: transcriptIds[0], first: 1 })).toMatchObject({
      cues: { totalCount: 2, edges: [{ node: { text: monster } }] },
    });
    expect(await read({ id: transcriptIds[1] })).toMatchObject({ unparsedCueCount: 1, cues: { totalCount: 0 } });
  });
});

it('a transcript takes its passages with it, and its meeting takes both', async () => {
  const passages = async () =>
    (await subgraph.database.query('SELECT FROM transcript_passages WHERE tenant_id = $1', [tenant])).length;
  const first = await storeMeeting(subgraph, tenant, { appointmentId: 'a', transcripts: [vttOf(['one'])] });
  const second = await storeMeeting(subgraph, tenant, { appointmentId: 'b', transcripts: [vttOf(['two'])] });
  expect(await passages()).toBe(2);
  await scope().db.run((prisma) => prisma.meetingTranscript.deleteMany({ where: { meetingId: first.id } }));
  expect(await passages()).toBe(1);
  await scope().db.run((prisma) => prisma.onlineMeeting.deleteMany({ where: { id: second.id } }));
  expect(await passages()).toBe(0);
});

describe('many transcripts', () => {
  it('are read with as many statements as one, derived or not', async () => {
    const { countStatements } = await import('../../support/statements.ts');
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1)
      ids.push(
        ...(await storeMeeting(subgraph, tenant, { appointmentId: `m-${i}`, transcripts: [vttOf(['one', 'two'])] }))
          .transcriptIds,
      );
    const statements = countStatements();
    const cost = async (size: number) => {
      statements.reset();
      const { data, errors } = await subgraph.send<{ _entities: { text: string }[] }>(
        token,
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on MeetingTranscript { text durationSeconds unparsedCueCount speakers { name } cues(first: 1) { totalCount edges { node { text } } } recording { id } } } }',
        { r: ids.slice(0, size).map((id) => ({ __typename: 'MeetingTranscript', id })) },
      );
      expect([errors, data?._entities.every(({ text }) => text === 'Jane: one two')]).toEqual([[], true]);
      return statements.count();
    };
    await cost(1);
    expect(await cost(30)).toBe(await cost(1));
    await forget();
    expect(await cost(30)).toBe(await cost(1));
  });
});
