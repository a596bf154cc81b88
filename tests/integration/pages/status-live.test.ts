import { afterAll, beforeAll, expect, it } from 'vitest';
import { BROKEN_TENANTS, repairTenant } from '../../support/broken-tenants.ts';
import { activate } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const DIAGNOSE =
  'mutation { runTeamsDiagnostics { report { overall steps { title status detail } recommendations } userErrors { code } } }';

interface Diagnosed {
  runTeamsDiagnostics: {
    report: {
      overall: string;
      steps: { title: string; status: string; detail: string }[];
      recommendations: string[];
    };
  };
}

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph({ isCallable: true });
});
afterAll(() => subgraph?.close());

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

it('the page shows what a real diagnosis found, with its remedy and the script, and says so when it is mended', async () => {
  const admin = await activate(subgraph);
  const diagnose = async () =>
    (await subgraph.send<Diagnosed>(admin, DIAGNOSE)).data?.runTeamsDiagnostics.report ?? {
      overall: '',
      steps: [],
      recommendations: [],
    };
  const page = async () =>
    (await fetch(`${subgraph.url}/status`, { headers: { authorization: `Bearer ${admin}` } })).text();

  await BROKEN_TENANTS.find(({ failing }) => failing[0] === 'policy')?.break(subgraph);
  const broken = await diagnose();
  const red = broken.steps.filter(({ status }) => status === 'FAIL');
  expect(red.map(({ title }) => title)).toEqual(['Teams application access policy']);
  const text = await page();
  expect(text).toContain('Something is broken.');
  for (const { title, detail } of red) {
    expect(text).toContain(escaped(title));
    expect(text).toContain(escaped(detail));
  }
  for (const advice of broken.recommendations) expect(text).toContain(escaped(advice));
  expect(text).toContain('Grant-CsApplicationAccessPolicy');

  await repairTenant(subgraph);
  expect((await diagnose()).overall).not.toBe('FAIL');
  expect(await page()).not.toContain('Something is broken.');
});
