import type { OnlineMeeting } from './meeting-store.ts';

const HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>\r\n';
const TAIL = '</body></html>';
const LINE = '________________________________________________________________________________';

/** The body as Exchange keeps it: always a whole HTML document, text is escaped into one. */
export function wrapBody(contentType: string, content: string): string {
  if (contentType.toLowerCase() === 'text') {
    return `${HEAD}<div class="PlainText">${escapeHtml(content).replace(/\r?\n/g, '<br>\r\n')}</div>\r\n${TAIL}`;
  }
  return /<html[\s>]/i.test(content) ? content : `${HEAD}${content}\r\n${TAIL}`;
}

/** Appends Teams' join block, as happens when a Teams meeting is attached to an event. */
export function withJoinBlock(html: string, meeting: OnlineMeeting): string {
  const block =
    `<br>\r\n<div style="width:100%"><span style="white-space:nowrap; color:#5F5F5F; opacity:.36">${LINE}</span></div>\r\n` +
    '<div class="me-email-text" lang="en-US" style="font-family:\'Segoe UI\',Helvetica,Arial,sans-serif">\r\n' +
    '<div><span class="me-email-text" style="font-size:24px; font-weight:700">Microsoft Teams</span></div>\r\n' +
    `<div><a href="${escapeHtml(meeting.joinWebUrl)}" id="meet_invite_block.action.join_link" ` +
    'class="me-email-headline" target="_blank" rel="noreferrer noopener">Join the meeting now</a></div>\r\n' +
    `<div>Meeting ID: ${meeting.joinMeetingId.replace(/(\d{3})(?=\d)/g, '$1 ')}</div>\r\n` +
    `<div>Passcode: ${meeting.passcode}</div>\r\n</div>\r\n` +
    `<div style="width:100%"><span style="white-space:nowrap; color:#5F5F5F; opacity:.36">${LINE}</span></div>\r\n`;
  const end = html.toLowerCase().lastIndexOf('</body>');
  return end === -1 ? `${html}${block}` : `${html.slice(0, end)}${block}${html.slice(end)}`;
}

/** Whether a body still has the join block, told by its link. */
export function hasJoinBlock(html: string, meeting: OnlineMeeting): boolean {
  return html.includes(escapeHtml(meeting.joinWebUrl)) || html.includes(meeting.joinWebUrl);
}

/** The text of a body, for `bodyPreview` and `Prefer: outlook.body-content-type="text"`. */
export function bodyText(html: string): string {
  return html
    .replace(/<head>[\s\S]*?<\/head>/i, '')
    .replace(/[\r\n]+/g, '')
    .replace(/<(br|\/div|\/p)\s*\/?>/gi, '\r\n')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .trim();
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
