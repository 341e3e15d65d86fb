// One story told through node-zookeeper-client: prints a line of JSON for each step.
'use strict';

const zookeeper = require('node-zookeeper-client');

const [address] = process.argv.slice(2);
const client = zookeeper.createClient(address, { sessionTimeout: 20000 });
const say = (step, value) => console.log(JSON.stringify([step, value]));

// The client calls back with (error, value, stat): one promise for all of them.
const call = (method, ...args) =>
    new Promise((resolve) => {
        client[method](...args, (error, ...values) =>
            resolve(error ? { error: error.getName ? error.getName() : String(error) } : { values })
        );
    });

const commit = (transaction) =>
    new Promise((resolve) => {
        transaction.commit((error, results) =>
            resolve(
                (results || []).map((r) => [r.type, r.path || null, r.err === undefined ? null : r.err])
            )
        );
    });

const shown = (stat) => stat && [stat.version, stat.cversion, stat.dataLength, stat.numChildren];

async function story() {
    say('create', (await call('create', '/node', Buffer.from('one'))).values);
    say('create again', await call('create', '/node', Buffer.from('one')));
    say('sequence', (await call('create', '/node/s-', zookeeper.CreateMode.PERSISTENT_SEQUENTIAL)).values);
    say('ephemeral', (await call('create', '/node/e', zookeeper.CreateMode.EPHEMERAL)).values);
    say('mkdirp', (await call('mkdirp', '/node/a/b/c')).values);

    const changed = new Promise((resolve) =>
        client.getData('/node', (event) => resolve([event.getType(), event.getPath()]), (error, data, stat) =>
            say('getData', [String(data), shown(stat)])
        )
    );
    say('setData', shown((await call('setData', '/node', Buffer.from('two'), 0)).values[0]));
    say('event', await changed);
    say('setData old', await call('setData', '/node', Buffer.from('x'), 0));

    const born = new Promise((resolve) =>
        client.exists('/node/new', (event) => resolve([event.getType(), event.getPath()]), (error, stat) =>
            say('exists', stat)
        )
    );
    const children = new Promise((resolve) =>
        client.getChildren('/node', (event) => resolve([event.getType(), event.getPath()]), (error, names, stat) =>
            say('getChildren', [names.sort(), shown(stat)])
        )
    );
    say('create new', (await call('create', '/node/new', null)).values);
    say('born', await born);
    say('children', await children);

    say('transaction', await commit(
        client.transaction().create('/node/t').setData('/node/t', Buffer.from('t'), 0).check('/node/t', 1).remove('/node/t', 1)
    ));
    say('failed transaction', await commit(
        client.transaction().create('/node/never').remove('/node/none').setData('/node', Buffer.from('x'))
    ));
    say('nothing of it', await call('exists', '/node/never'));

    client.addAuthInfo('digest', Buffer.from('node:secret'));
    say('own acl', await call('create', '/node/own', Buffer.from('s'), zookeeper.ACL.CREATOR_ALL_ACL));
    const acl = (await call('getACL', '/node/own')).values[0];
    say('getACL', acl.map((entry) => [entry.permission, entry.id.scheme, entry.id.id]));
    say('bad acl', await call('setACL', '/node/own', [
        new zookeeper.ACL(zookeeper.Permission.READ, new zookeeper.Id('nosuch', 'x'))], -1));
    say('remove a leaf', await call('remove', '/node/a/b/c', 0));
    say('remove', await call('remove', '/node', -1));
    say('remove none', await call('remove', '/none', -1));
}

client.once('connected', async () => {
    await story();
    client.once('disconnected', () => process.exit(0));
    client.close();
});
client.connect();
setTimeout(() => { console.log('too slow'); process.exit(1); }, 60000).unref();
