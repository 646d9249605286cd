// SPDX-License-Identifier: Apache-2.0
// The judgement over the error logs: what no accident excuses, or only some.

/** What a line has; what it means; the accidents in which it is no fault of ours, with the reason. */
const marks = [
  { pattern: /exit signal/, what: 'a process of httpd died' },
  { pattern: /Sanitizer|: runtime error: /, what: 'a sanitizer found something' },
  { pattern: /OAS0021[123]/, what: 'the schema, the issuer or the rights were found wrong' },
  { pattern: /OAS00214/, what: 'the database refused a statement for a reason that nobody foresaw' },
  { pattern: /OAS00217/, what: 'what the database holds could not be read' },
  { pattern: /OAS01142/, what: 'an attempt was given up whose repetition may be refused' },
  // PostgreSQL cannot write what it has to: class 58, and XX of what it finds half written
  { pattern: /OAS01272/, what: 'the database had an error of its own', excused: ['disk full'] },
];

/** When a line was written, by httpd's clock, which is this one's; undefined where it says nothing. */
function timeOf(line) {
  const found = /^\[\w{3} (\w{3} \d+ [\d:]+)\.(\d{3})\d* (\d{4})\]/.exec(line);
  return found ? Date.parse(`${found[1]} ${found[3]}`) + Number(found[2]) : undefined;
}

/** The accident that was the last to begin. */
const during = (faults, time) => faults.filter(({ begun }) => begun <= time).at(-1)?.kind;

/**
 * @param text error logs of all nodes
 * @param faults the accidents: kind, and begun (ms)
 * @param killed process numbers that an accident has sent a signal to
 * @param found is told what and an example
 */
export function judgeLog(text, faults, killed, found) {
  for (const line of text.split('\n')) {
    const mark = marks.find(({ pattern }) => pattern.test(line));
    if (mark === undefined || killed.has(Number(/child pid (\d+) exit signal/.exec(line)?.[1]))) continue;
    const kind = during(faults, timeOf(line));
    if (!mark.excused?.includes(kind)) found(`in the error log: ${mark.what}`, { kind, line });
  }
}
