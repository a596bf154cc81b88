/** What a browser may do on a page of ours: `sources` are added to nothing at all. */
export function pageHeaders(sources: Readonly<Record<string, string>>): Record<string, string> {
  const policy = { 'default-src': "'none'", ...sources, 'base-uri': "'none'", 'frame-ancestors': "'none'" };
  return {
    'content-security-policy': Object.entries(policy)
      .map(([directive, allowed]) => `${directive} ${allowed}`)
      .join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
