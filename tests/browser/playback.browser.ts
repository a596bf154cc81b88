import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBlobStore } from '../../src/blobs/open-blob-store.ts';
import { activate, createMeeting, MICROSOFT, mutate, REFRESH } from '../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { startChromium } from './chromium.ts';

let browser: Browser;
let subgraph: TestSubgraph;
let pages: Server;
let directory: string;
let video: { url: string; vttUrl: string };
let pageUrl: string;

const CONTENT = { path: '/recordings/.+/content$' };

/** What the PSA's page of an appointment would hold; it is of another origin than the recording. */
const page = ({ url, vttUrl }: typeof video) => `<!doctype html><title>Recording</title>
<style>body { font: 16px sans-serif; margin: 24px } video { width: 640px; background: #000 }</style>
<h1>Quarterly review</h1>
<video src="${url}" crossorigin="anonymous" controls muted preload="metadata">
  <track src="${vttUrl}" kind="captions" srclang="en" default>
</video>`;

beforeAll(async () => {
  browser = await startChromium();
  directory = await mkdtemp(join(tmpdir(), 'playback-'));
  const blobs = await openBlobStore({ kind: 'file', folder: join(directory, 'blobs') });
  subgraph = await startTestSubgraph({ services: { blobs } });
  const admin = await activate(subgraph);
  const meeting = await createMeeting(subgraph, admin);
  await subgraph.simulator.meetingTookPlace({
    directoryId: MICROSOFT['tenant-a'].directoryId,
    joinUrl: meeting.joinUrl ?? '',
    durationSeconds: 4,
    // Longer than what a browser reads ahead of a video, so that seeking takes a request of its own.
    minRecordingBytes: 4_000_000,
    utterances: [
      { speaker: 'Sam', text: 'Good morning, shall we begin?' },
      { speaker: 'Jane', text: 'Yes, I can see your screen.' },
    ],
  });
  const { meeting: captured } = await mutate<{
    meeting: { recordings: { contentUrl: string }[]; transcripts: { vttUrl: string }[] };
  }>(subgraph, admin, REFRESH, { meetingId: meeting.id });
  video = {
    url: reachable(subgraph, captured.recordings[0]?.contentUrl ?? ''),
    vttUrl: reachable(subgraph, captured.transcripts[0]?.vttUrl ?? ''),
  };
  pages = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(video));
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const address = pages.address();
  pageUrl = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`;
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
  await subgraph?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Seeks to the middle, plays, and says what was seen. */
async function playFromTheMiddle(opened: Page) {
  return opened.evaluate(async () => {
    const element = document.querySelector('video');
    if (element === null) throw new Error('There is no video');
    const until = (event: string) =>
      new Promise<void>((resolve, reject) => {
        element.addEventListener(event, () => resolve(), { once: true });
        element.addEventListener('error', () => reject(new Error(element.error?.message)), { once: true });
      });
    if (element.readyState < 1) await until('loadedmetadata');
    const { duration } = element;
    const seeked = until('seeked');
    element.currentTime = duration / 2;
    await seeked;
    const from = element.currentTime;
    await element.play();
    while (element.currentTime < from + 0.8) await until('timeupdate');
    element.pause();
    const [track] = Array.from(element.textTracks);
    const cues = Array.from(track?.cues ?? []);
    return {
      duration,
      from,
      to: element.currentTime,
      width: element.videoWidth,
      cues: cues.map((cue) => (cue instanceof VTTCue ? cue.text : '')),
      error: element.error?.message ?? null,
    };
  });
}

describe.each(['Microsoft', 'the own store'])('a recording from %s in Chromium', (where) => {
  it('loads, seeks to the middle, plays on and shows the transcript', async () => {
    if (where === 'the own store') {
      await subgraph.database.query('UPDATE teams_integrations SET download_recordings = true');
      await subgraph.services.sweepTenant({
        viewer: { tenantId: 'tenant-a', id: 'background', kind: 'service', permissions: new Set() },
        db: subgraph.db.forTenant('tenant-a'),
      });
      await subgraph.runJobs();
      await subgraph.simulator.clearRequests();
    }
    const opened = await browser.newPage({ viewport: { width: 720, height: 520 } });
    const statuses: number[] = [];
    opened.on('response', (response) => {
      if (response.url() === video.url) statuses.push(response.status());
    });
    await opened.goto(pageUrl);
    const seen = await playFromTheMiddle(opened);
    expect(seen).toMatchObject({ error: null, width: 160 });
    expect(seen.duration).toBeCloseTo(4, 0);
    expect(seen.from).toBeCloseTo(2, 0);
    expect(seen.to).toBeGreaterThan(seen.from + 0.7);
    expect(seen.cues.join(' ')).toContain('shall we begin?');
    expect(new Set(statuses)).toEqual(new Set([206]));
    const requests = await subgraph.simulator.requests(CONTENT);
    expect(requests.length > 0).toBe(where === 'Microsoft');
    const screenshot = join(tmpdir(), `recording-from-${where === 'Microsoft' ? 'microsoft' : 'store'}.png`);
    await opened.screenshot({ path: screenshot });
    console.log(`${screenshot}: ${seen.from.toFixed(2)} s to ${seen.to.toFixed(2)} s of ${seen.duration} s`);
    await opened.close();
  });
});

// Last, as the clock does not go back.
describe('a link that has expired while a recording plays', () => {
  it('lets the player seek on once the page has put in a fresh one', async () => {
    const opened = await browser.newPage();
    await opened.goto(pageUrl);
    await playFromTheMiddle(opened);
    subgraph.advanceClock(20 * 60_000);
    expect((await fetch(video.url, { headers: { range: 'bytes=0-9' } })).status).toBe(403);
    const { data } = await subgraph.send<{
      teamsMeetings: { edges: { node: { recordings: { contentUrl: string }[] } }[] };
    }>(await subgraph.tokens.token('technician'), '{ teamsMeetings { edges { node { recordings { contentUrl } } } } }');
    const fresh = reachable(subgraph, data?.teamsMeetings.edges[0]?.node.recordings[0]?.contentUrl ?? '');
    const times = await opened.evaluate(async (url) => {
      const element = document.querySelector('video');
      if (element === null) throw new Error('There is no video');
      const before = element.currentTime;
      element.src = url;
      element.currentTime = before;
      await new Promise((resolve) => element.addEventListener('seeked', resolve, { once: true }));
      await element.play();
      return { before, after: element.currentTime };
    }, fresh);
    expect(times.after).toBeCloseTo(times.before, 0);
    await opened.close();
  });
});
