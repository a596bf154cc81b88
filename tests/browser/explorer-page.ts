import type { Page, Response } from 'playwright-core';

interface Editor {
  getModel(): { uri: { path: string }; getValue(): string } | null;
  revealLineInCenter(line: number): void;
}

declare global {
  /** What GraphiQL leaves on the page of its editor. */
  var __MONACO: { editor: { getEditors(): Editor[] } } | undefined;
}

/** Opens a tab by the name of its operation. */
export async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole('tab', { name }).click();
  await page.getByRole('tab', { name, selected: true }).waitFor();
}

/** Whether it answers an operation of ours, not the explorer's own question for the schema. */
function isAnswer(response: Response): boolean {
  return (
    response.url().endsWith('/graphql') && response.request().postDataJSON()?.operationName !== 'IntrospectionQuery'
  );
}

/** Waits until the three editors of the open tab can be used. */
export async function untilReady(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const paths = globalThis.__MONACO?.editor.getEditors().map((editor) => editor.getModel()?.uri.path ?? '') ?? [];
    return ['operation.graphql', 'variables.json', 'response.json'].every((end) =>
      paths.some((path) => path.endsWith(end)),
    );
  });
}

/** Runs the operation of the open tab and returns what the answer's editor then shows. */
export async function run<Data = Record<string, unknown>>(
  page: Page,
): Promise<{ data: Data | null; errors?: { message: string; extensions: { code: string } }[] }> {
  const answered = page.waitForResponse((response) => isAnswer(response));
  await page.getByRole('button', { name: /^Execute query/ }).click();
  const text = await (await answered).text();
  const shown = await page.waitForFunction((wanted) => {
    const compact = (json: string) => {
      try {
        return JSON.stringify(JSON.parse(json));
      } catch {
        return null;
      }
    };
    const value = globalThis.__MONACO?.editor
      .getEditors()
      .map((editor) => editor.getModel())
      .find((model) => model?.uri.path.endsWith('response.json'))
      ?.getValue();
    return value !== undefined && compact(value) === compact(wanted) ? value : null;
  }, text);
  return JSON.parse((await shown.jsonValue()) ?? '');
}

/** Scrolls the answer to the first line that holds the text. */
export async function showInAnswer(page: Page, text: string): Promise<void> {
  await page.evaluate((wanted) => {
    const editor = globalThis.__MONACO?.editor
      .getEditors()
      .find((one) => one.getModel()?.uri.path.endsWith('response.json'));
    const lines = editor?.getModel()?.getValue().split('\n') ?? [];
    editor?.revealLineInCenter(lines.findIndex((line) => line.includes(wanted)) + 1);
  }, text);
  await page.locator('.result-window').getByText(text).first().waitFor();
}
