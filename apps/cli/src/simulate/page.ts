import { escape, pictureOf } from './picture.js';
import { detailsOf } from './tables.js';
import type { Outcome } from './tables.js';

const STYLE = `
  body { margin: 0 auto; max-width: 1240px; padding: 20px; background: #fff; color: #14213d;
         font: 14px/1.5 Inter, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
  svg { width: 100%; height: auto; }
  pre { padding: 16px 20px; border: 1px solid #d9e0ea; border-radius: 10px; background: #f7f9fc; overflow-x: auto; }
`;

/** The picture and the report as one page that needs nothing else. */
export function pageOf(outcomes: readonly Outcome[]): string {
  const title = outcomes.map(({ title }) => title).join(' · ');
  const reports = outcomes.map((outcome) => `<pre>${escape(detailsOf(outcome))}</pre>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${pictureOf(outcomes)}
${reports.join('\n')}
</body>
</html>
`;
}
