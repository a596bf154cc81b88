import type { DiagnosticsReport } from '../../services/diagnostics/report.ts';
import type { SetupStep } from '../../services/setup-guide/setup-guide.ts';
import { titleOf } from '../../services/verification/check-titles.ts';
import type { CheckStatus, Verification } from '../../services/verification/checklist.ts';
import { type Html, html } from './html.ts';
import { page } from './page.ts';
import { scriptFor } from './script-for.ts';

export interface StatusOfTenant {
  tenantId: string;
  diagnosis: DiagnosticsReport | null;
  verification: Verification | null;
  guide: readonly SetupStep[];
  now: Date;
}

/** A check of the verification or a step of the diagnosis. */
interface Found {
  name: string;
  title: string;
  status: CheckStatus;
  detail: string;
  remedy: string | null;
}

const WORDS: Record<CheckStatus, string> = { FAIL: 'Broken', WARN: 'Look at it', PASS: 'Good', SKIP: 'Not looked at' };
const VERDICTS: Record<CheckStatus, string> = {
  FAIL: 'Something is broken. What to do is below.',
  WARN: 'It works, and something should be looked at.',
  PASS: 'All is well.',
  SKIP: 'Nobody has looked since the app or the organizer changed.',
};

const badge = (status: CheckStatus) => html`<span class="badge ${status}">${WORDS[status]}</span>`;

/** How long ago, in the largest unit that fits. */
function ago(then: Date, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - then.getTime()) / 60_000));
  const [count, unit]: [number, string] =
    minutes < 60
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / (24 * 60)), 'day'];
  return count === 0 ? 'just now' : `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

function at(then: Date, now: Date): Html {
  const iso = then.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>, ${ago(then, now)}`;
}

/** What is wrong with one thing, what to do about it, and the script that does it. */
function card(found: Found, id: string, guide: readonly SetupStep[]): Html {
  const step = scriptFor(found.name, guide);
  const script =
    step &&
    html`<figure>
<figcaption><span>Step ${step.number} of the set-up guide: ${step.title}</span>
<button type="button" data-copies="${id}" hidden>Copy the script</button></figcaption>
<pre id="${id}">${step.script}</pre>
</figure>`;
  return html`<section class="card ${found.status}">
<div class="head"><h3>${found.title}</h3>${badge(found.status)}</div>
<p>${found.detail}</p>
${found.remedy === null ? null : html`<p class="remedy"><strong>What to do:</strong> ${found.remedy}</p>`}
${script}
</section>`;
}

function rest(found: readonly Found[], what: string): Html | null {
  if (found.length === 0) return null;
  const good = found.filter(({ status }) => status === 'PASS').length;
  const skipped = found.length - good;
  const rows = found.map(
    (one) =>
      html`<tr><th scope="row">${one.title}</th><td>${badge(one.status)}</td><td class="wide">${one.detail}</td></tr>`,
  );
  return html`<details><summary>The other ${what}: ${good} good${skipped === 0 ? '' : `, ${skipped} not looked at`}</summary>
<table><thead><tr><th scope="col">What</th><th scope="col">State</th><th scope="col" class="wide">Found</th></tr></thead>
<tbody>${rows}</tbody></table></details>`;
}

function findings(found: readonly Found[], prefix: string, what: string, guide: readonly SetupStep[]): Html {
  const red = found.filter(({ status }) => status === 'FAIL');
  const yellow = found.filter(({ status }) => status === 'WARN');
  const others = found.filter(({ status }) => status === 'PASS' || status === 'SKIP');
  const cards = [...red, ...yellow].map((one, index) => card(one, `${prefix}-script-${index}`, guide));
  return html`${cards}${rest(others, what)}`;
}

function diagnosisSection({ diagnosis, guide, now }: StatusOfTenant): Html {
  if (diagnosis === null) {
    return html`<section aria-labelledby="diagnosis"><h2 id="diagnosis">Diagnosis</h2>
<p>None was run with today’s app and organizer. Run <code>runTeamsDiagnostics</code> in the explorer: it changes nothing.</p></section>`;
  }
  const { recommendations, permissions } = diagnosis;
  const advice = recommendations.map((text) => html`<li>${text}</li>`);
  const granted = (isGranted: boolean | null) => (isGranted === null ? 'unknown' : isGranted ? 'yes' : 'no');
  const rows = permissions.map(
    (one) => html`<tr><th scope="row">${one.name}</th><td>${granted(one.grantedInToken)}</td>
<td>${one.required ? 'needed' : 'optional'}</td><td class="wide">${one.usedFor}</td></tr>`,
  );
  return html`<section aria-labelledby="diagnosis"><h2 id="diagnosis">Diagnosis ${badge(diagnosis.overall)}</h2>
<p class="quiet">${at(diagnosis.ranAt, now)}</p>
${advice.length === 0 ? null : html`<h3>What to do, in this order</h3><ol>${advice}</ol>`}
${findings(diagnosis.steps, 'diagnosis', 'steps', guide)}
${
  rows.length === 0
    ? null
    : html`<details><summary>Permissions of the app</summary>
<table><thead><tr><th scope="col">Permission</th><th scope="col">In the token</th><th scope="col">Need</th>
<th scope="col" class="wide">For</th></tr></thead><tbody>${rows}</tbody></table></details>`
}</section>`;
}

function verificationSection({ verification, guide, now }: StatusOfTenant): Html {
  if (verification === null) {
    return html`<section aria-labelledby="verification"><h2 id="verification">Verification</h2>
<p>None was run with today’s app and organizer. Run <code>verifyTeamsOrganizer</code> in the explorer.</p></section>`;
  }
  const checks = verification.checks.map((check) => ({ ...check, title: titleOf(check.name) }));
  return html`<section aria-labelledby="verification"><h2 id="verification">Verification ${badge(statusOf(verification))}</h2>
<p class="quiet">${at(verification.ranAt, now)}. Outcome: <code>${verification.outcome}</code></p>
${findings(checks, 'verification', 'checks', guide)}</section>`;
}

function statusOf({ outcome, checks }: Verification): CheckStatus {
  if (outcome !== 'VERIFIED') return 'FAIL';
  return checks.some(({ status }) => status === 'WARN') ? 'WARN' : 'PASS';
}

/** What the newer of diagnosis and verification says: the older one may speak of what was mended since. */
function verdictOf({ diagnosis, verification }: StatusOfTenant): CheckStatus {
  const isDiagnosisNewer = diagnosis !== null && (verification === null || diagnosis.ranAt >= verification.ranAt);
  if (isDiagnosisNewer) return diagnosis.overall;
  return verification === null ? 'SKIP' : statusOf(verification);
}

/** What was last found of a tenant's set-up, for a person who wants to know what is wrong and what to do. */
export function statusPage(status: StatusOfTenant): string {
  const verdict = verdictOf(status);
  return page(
    `Teams meetings: ${VERDICTS[verdict]}`,
    html`<h1>Teams meetings</h1>
<p class="quiet">Tenant ${status.tenantId}</p>
<p class="verdict ${verdict}">${VERDICTS[verdict]}</p>
${diagnosisSection(status)}
${verificationSection(status)}`,
  );
}

/** Asks for a token; nothing of any tenant is on it. */
export function tokenPage(message: string | null): string {
  return page(
    'Teams meetings: status',
    html`<h1>Teams meetings: status</h1>
${message === null ? null : html`<p class="verdict FAIL" role="alert">${message}</p>`}
<p>What the last diagnosis and the last verification of your tenant found. It needs the bearer token of an administrator,
which is sent once, is not kept and is in no address.</p>
<form method="post" action="status">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required>
<button type="submit">Show the status</button>
</form>`,
  );
}
