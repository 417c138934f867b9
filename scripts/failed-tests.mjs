// A reporter of Node's test runner: one line of JSON for each test that failed, with its file.

// biome-ignore lint/style/noDefaultExport: the runner takes a reporter so.
export default async function* failedTests(events) {
  for await (const { type, data } of events) {
    if (type === 'test:fail') yield `${JSON.stringify({ file: data.file ?? data.name, name: data.name })}\n`;
  }
}
