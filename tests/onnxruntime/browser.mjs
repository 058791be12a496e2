// Opens a page in headless Chromium and prints what it says first by console.log, or why it can't.
// What the page asks for comes from its own folder, or else from onnxruntime-web's.
//
//   node browser.mjs PAGE ONNXRUNTIME_WEB_DIST
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';

const [page, dist] = process.argv.slice(2);
const seconds = 120;
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript',
                '.wasm': 'application/wasm' };
// What the page says goes to the server.
const reporting = `<script>
  const report = (text) => fetch('/said', { method: 'POST', body: String(text) });
  console.log = report;
  addEventListener('error', (event) => report('error: ' + event.message));
  addEventListener('unhandledrejection', (event) => report('error: ' + event.reason));
</script>
`;

const profile = mkdtempSync(join(tmpdir(), 'coppice-chromium-'));
let browser;
const server = createServer((request, response) => {
  if (request.url === '/said') {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => end(text));
    return;
  }
  const name = basename(new URL(request.url, 'http://x').pathname);
  const path = [dirname(page), dist].map((where) => join(where, name)).find(existsSync);
  if (!name || !path) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' });
  response.end(name === basename(page) ? reporting + readFileSync(path) : readFileSync(path));
});

function end(text) {
  console.log(text);
  server.closeAllConnections();
  server.close();
  browser.kill('SIGKILL');
}

server.listen(0, '127.0.0.1', () => {
  browser = spawn('chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/${basename(page)}`,
  ], { stdio: 'ignore' });
  browser.on('error', (error) => end(`error: ${error.message}`));
  browser.on('exit', () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  setTimeout(() => end(`error: nothing in ${seconds} s`), 1000 * seconds).unref();
});
