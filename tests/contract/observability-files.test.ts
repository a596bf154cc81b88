import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/server/metrics.ts';

const alerts = readFileSync('deploy/prometheus/alerts.yml', 'utf8');
const dashboard = readFileSync('deploy/grafana/dashboard.json', 'utf8');
const runbook = readFileSync('docs/runbook.md', 'utf8');

const metrics = await createMetrics().registry.getMetricsAsArray();

/** The names under which Prometheus stores a metric. */
const stored = metrics.flatMap(({ name, type }) =>
  String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
);
const namesIn = (text: string) => [...new Set(text.match(/teams_meetings_\w+/g))];
const baseOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');

function labelsOf(series: string): string[] {
  const metric = metrics.find(({ name }) => name === series || name === baseOf(series));
  return (metric as unknown as { labelNames: string[] } | undefined)?.labelNames ?? [];
}

const alertNames = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);

interface Panel {
  title: string;
  type: string;
  targets: { expr: string; legendFormat: string }[];
}
const { panels } = JSON.parse(dashboard) as { panels: Panel[] };

describe.each([
  ['the alerts', alerts],
  ['the dashboard', dashboard],
])('%s', (_what, text) => {
  it('name only metrics that there are', () => {
    expect(namesIn(text).length).toBeGreaterThan(10);
    expect(namesIn(text).filter((name) => !stored.includes(name))).toEqual([]);
  });

  it('select only by labels that the metric has', () => {
    const selected = [...text.replaceAll('\\"', '"').matchAll(/(teams_meetings_\w+)\{([^}]*)\}/g)].flatMap(
      ([, name = '', selector = '']) => [...selector.matchAll(/(\w+)(?=!?=)/g)].map(([label]) => ({ name, label })),
    );
    expect(selected.length).toBeGreaterThan(2);
    expect(selected.filter(({ name, label }) => !labelsOf(name).includes(label))).toEqual([]);
  });
});

describe('the alerts', () => {
  it('each link to a heading of the runbook, and each heading there has its alert', () => {
    const links = [...alerts.matchAll(/runbook_url: docs\/runbook\.md#(\S+)/g)].map(([, anchor]) => anchor);
    expect(links).toEqual(alertNames.map((name) => name?.toLowerCase()));
    const section = runbook.split(/^## /m).find((part) => part.startsWith('Alerts\n')) ?? '';
    const headings = [...section.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(alertNames.toSorted());
  });
});

describe('the dashboard', () => {
  it('shows every metric', () => {
    const shown = new Set(namesIn(dashboard).map(baseOf));
    expect(metrics.filter(({ name }) => !shown.has(name)).map(({ name }) => name)).toEqual([]);
  });

  it('has a title, a number and a legend for each panel', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { title, type, targets } of panels) {
      expect([title, type]).toEqual([title, 'timeseries']);
      for (const { expr, legendFormat } of targets)
        expect([title, expr !== '', legendFormat !== '']).toEqual([title, true, true]);
    }
  });
});
