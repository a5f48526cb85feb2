import { load } from '../../js/tcpkit.mjs';

const text = `scenario handshake
host client 10.0.0.1
host server 10.0.0.2
link client server delay 50ms
listen server 80
flow web client server:80 port 40000
  client hold
  server hold
end 5s
`;

onmessage = async ({ data }) => {
  const kit = await load(data);
  const run = kit.run(text);
  run.finish();
  postMessage(`run: ${run.hash()}`);
};
