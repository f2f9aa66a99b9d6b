// Is ready at once, says more than a pipe holds, and ends with code 3. Whoever does not read what it says keeps it from ending.
process.send({ state: 'ready' });
process.send({ state: 'consuming' });
process.stdout.write(`${JSON.stringify({ msg: 'x'.repeat(100) })}\n`.repeat(5_000));
process.exitCode = 3;
process.disconnect();
