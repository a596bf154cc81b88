/** The explorer: GraphiQL with the runbook's operations ready in tabs, and a place for the token. */
import 'graphiql/setup-workers/vite';
import { GraphiQL, type GraphiQLProps } from 'graphiql';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { operationNameIn } from './operation-name.ts';
import { readyOperations } from './operations.ts';
import { loadSettings } from './settings.ts';
import { startTokenBar } from './token-bar.ts';

/** Tabs hold secrets, so nothing of them outlives the page: GraphiQL's own choice would be the browser's disk. */
function memory(): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}

async function start(container: HTMLElement): Promise<void> {
  const settings = await loadSettings();
  const authorization = startTokenBar(settings);
  const fetcher: GraphiQLProps['fetcher'] = async (asked) => {
    const operation = { ...asked, operationName: operationNameIn(asked.query, asked.operationName) };
    const response = await fetch('graphql', {
      method: 'POST',
      headers: {
        ...settings.headers,
        'content-type': 'application/json',
        accept: 'application/json',
        ...authorization(),
      },
      body: JSON.stringify(operation),
    });
    const answer = await response.json();
    // On a phone the answer is below the fold.
    if (operation.operationName !== 'IntrospectionQuery')
      document.querySelector('.graphiql-response')?.scrollIntoView({ block: 'nearest' });
    return answer;
  };
  const tabs = readyOperations(settings.demo, new Date());
  const props: GraphiQLProps = {
    fetcher,
    defaultTabs: tabs,
    // The tab that is open at first does not bring its own.
    initialVariables: tabs[0]?.variables,
    storage: memory(),
    // Null keeps it from asking; undefined lets it ask.
    schema: settings.introspection ? undefined : null,
    isHeadersEditorEnabled: false,
    showPersistHeadersSettings: false,
    defaultEditorToolsVisibility: 'variables',
  };
  // Its own logo is a link out of here.
  createRoot(container).render(createElement(GraphiQL, props, createElement(GraphiQL.Logo, null, '')));
}

const container = document.getElementById('explorer');
if (container !== null) {
  start(container).catch((error: unknown) => {
    container.textContent = `The explorer could not start. ${String(error)}`;
  });
}
