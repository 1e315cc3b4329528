#!/usr/bin/env node
// Conversations of MQTT.js with a broker, one per name.
//
//     mqttjs_talks.cjs DIRECTORY PORT 4|5 NAME [PROTOCOL]
//
// PROTOCOL is ws for a WebSocket; without it, it is TCP.
// DIRECTORY is where install_mqttjs has installed it. Exits 0 when the conversation went as it
// should. Waits for events only, at most `patience` milliseconds.
'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { createRequire } = require('node:module')
const path = require('node:path')

const [directory, port, version, name, protocol = 'mqtt'] = process.argv.slice(2)
const mqtt = createRequire(path.resolve(directory, 'node_modules') + '/')('mqtt')
const topic = `mqttjs/${version}/${name}`
const v5 = version === '5'
const patience = 20_000

// A client whose messages are kept until they are taken.
class Peer {
  constructor(id, options = {}) {
    this.messages = []
    this.client = mqtt.connect({
      host: 'localhost',
      port: Number(port),
      protocol,
      protocolVersion: Number(version),
      clientId: `${name}-${version}-${id}`,
      reconnectPeriod: 0,
      ...options
    })
    this.client.on('message', (where, payload, packet) => {
      this.messages.push({ where: where.slice(topic.length + 1), payload, packet })
      this.client.emit('taken')
    })
  }

  static async connect(id, options) {
    const peer = new Peer(id, options)
    const [connack] = await once(peer.client, 'connect', { signal: AbortSignal.timeout(patience) })
    peer.connack = connack
    return peer
  }

  async take() {
    while (this.messages.length === 0) {
      await once(this.client, 'taken', { signal: AbortSignal.timeout(patience) })
    }
    return this.messages.shift()
  }

  async takeTexts(count) {
    const texts = []
    while (texts.length < count) texts.push(String((await this.take()).payload))
    return texts
  }

  subscribe(filter, options) { return this.client.subscribeAsync(filter, options) }
  publish(where, payload, options) { return this.client.publishAsync(where, payload, options) }
  leave() { return this.client.endAsync() }

  // Without a DISCONNECT, as if the cable had been cut.
  vanish() { this.client.stream.destroy() }
}

const numbers = (count) => Array.from({ length: count }, (_, index) => String(index))
const byNumber = (a, b) => Number(a) - Number(b)

const talks = {
  async every_qos() {
    const [left, right] = [await Peer.connect('left'), await Peer.connect('right')]
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    for (const asked of [0, 1, 2]) {
      const [granted] = await left.subscribe(`${topic}/${asked}/+`, { qos: asked })
      assert.equal(granted.qos, asked)
      for (const sent of [0, 1, 2]) {
        for (const payload of [Buffer.from('text'), Buffer.alloc(0), every, Buffer.alloc(300_000, 'x')]) {
          await right.publish(`${topic}/${asked}/${sent}`, payload, { qos: sent })
          const message = await left.take()
          assert.equal(message.where, `${asked}/${sent}`)
          assert.deepEqual(message.payload, payload)
          assert.equal(message.packet.qos, Math.min(asked, sent))
          assert.equal(message.packet.retain, false)
        }
      }
    }
  },

  async many_in_flight() {
    const [left, right] = [await Peer.connect('left'), await Peer.connect('right')]
    const window = v5 ? right.connack.properties.receiveMaximum ?? 300 : 300 // MQTT.js does not look
    for (const qos of [0, 1, 2]) {
      await left.subscribe(`${topic}/${qos}`, { qos })
      for (let sent = 0; sent < 300; sent += window) {
        const published = numbers(300)
          .slice(sent, sent + window)
          .map((text) => right.publish(`${topic}/${qos}`, text, { qos }))
        await Promise.all(published)
      }
      assert.deepEqual(await left.takeTexts(300), numbers(300))
    }
  },

  async retained() {
    const right = await Peer.connect('right')
    for (const qos of [0, 1, 2]) await right.publish(`${topic}/${qos}`, `last ${qos}`, { qos, retain: true })
    const left = await Peer.connect('left')
    await left.subscribe(`${topic}/#`, { qos: 2 })
    const found = [await left.take(), await left.take(), await left.take()]
    found.sort((a, b) => a.packet.qos - b.packet.qos)
    for (const qos of [0, 1, 2]) {
      assert.equal(String(found[qos].payload), `last ${qos}`)
      assert.equal(found[qos].packet.qos, qos)
      assert.equal(found[qos].packet.retain, true)
      await right.publish(`${topic}/${qos}`, '', { qos: 1, retain: true })
    }
    const late = await Peer.connect('late')
    await late.subscribe(`${topic}/#`, { qos: 2 })
    await right.publish(`${topic}/live`, 'live', { qos: 1 })
    assert.equal(String((await late.take()).payload), 'live')
  },

  async will() {
    const left = await Peer.connect('left')
    await left.subscribe(`${topic}/#`, { qos: 2 })
    for (const qos of [0, 1, 2]) {
      const polite = await Peer.connect('polite', { will: { topic: `${topic}/${qos}`, payload: 'never', qos } })
      await polite.leave()
      const properties = v5 ? { contentType: 'text/plain', userProperties: { why: 'cut' } } : undefined
      const doomed = await Peer.connect('doomed', {
        will: { topic: `${topic}/${qos}`, payload: `will ${qos}`, qos, properties }
      })
      doomed.vanish()
      const message = await left.take()
      assert.equal(String(message.payload), `will ${qos}`)
      assert.equal(message.packet.qos, qos)
      if (v5) {
        assert.equal(message.packet.properties.contentType, 'text/plain')
        assert.deepEqual({ ...message.packet.properties.userProperties }, { why: 'cut' })
      }
    }
  },

  async session() {
    const kept = { clean: false, properties: v5 ? { sessionExpiryInterval: 60 } : undefined }
    const [left, right] = [await Peer.connect('left', kept), await Peer.connect('right')]
    assert.equal(left.connack.sessionPresent, false)
    for (const qos of [1, 2]) await left.subscribe(`${topic}/${qos}`, { qos })
    await left.leave()
    for (const text of numbers(30)) {
      for (const qos of [1, 2]) await right.publish(`${topic}/${qos}`, text, { qos })
    }
    const back = await Peer.connect('left', kept)
    assert.equal(back.connack.sessionPresent, true)
    const found = { 1: [], 2: [] }
    for (let count = 0; count < 60; ++count) {
      const message = await back.take()
      found[message.where].push(String(message.payload))
    }
    assert.deepEqual(found, { 1: numbers(30), 2: numbers(30) })
    await back.leave()
    const fresh = await Peer.connect('left', { clean: true })
    assert.equal(fresh.connack.sessionPresent, false)
  },

  async unsubscribed() {
    const [left, right] = [await Peer.connect('left'), await Peer.connect('right')]
    await left.subscribe([`${topic}/a`, `${topic}/b`], { qos: 1 })
    await left.client.unsubscribeAsync(`${topic}/a`)
    await right.publish(`${topic}/a`, 'not for you', { qos: 1 })
    await right.publish(`${topic}/b`, 'for you', { qos: 1 })
    assert.equal(String((await left.take()).payload), 'for you')
  },

  async all_properties() {
    const [left, right] = [await Peer.connect('left'), await Peer.connect('right')]
    await left.subscribe(`${topic}/#`, { qos: 2, properties: { subscriptionIdentifier: 42 } })
    for (const qos of [0, 1, 2]) {
      await right.publish(`${topic}/${qos}`, 'payload', {
        qos,
        properties: {
          payloadFormatIndicator: true,
          messageExpiryInterval: 100,
          contentType: 'text/plain',
          responseTopic: 'answers/here',
          correlationData: Buffer.from([0, 1, 255]),
          userProperties: { a: ['1', '2'], ü: '✓' }
        }
      })
      const found = (await left.take()).packet.properties
      assert.equal(found.payloadFormatIndicator, true)
      assert(found.messageExpiryInterval >= 95 && found.messageExpiryInterval <= 100)
      assert.equal(found.contentType, 'text/plain')
      assert.equal(found.responseTopic, 'answers/here')
      assert.deepEqual(found.correlationData, Buffer.from([0, 1, 255]))
      assert.deepEqual({ ...found.userProperties }, { a: ['1', '2'], ü: '✓' })
      assert.equal(found.subscriptionIdentifier, 42)
    }
  },

  async topic_alias() {
    const left = await Peer.connect('left', { properties: { topicAliasMaximum: 5 } })
    const right = await Peer.connect('right', { autoAssignTopicAlias: true, autoUseTopicAlias: true })
    assert(right.connack.properties.topicAliasMaximum > 0)
    await left.subscribe(`${topic}/#`, { qos: 1 })
    const sent = []
    for (const text of numbers(60)) {
      const where = String(Number(text) % 20)
      sent.push([where, text])
      await right.publish(`${topic}/${where}`, text, { qos: 1 })
    }
    const found = []
    while (found.length < sent.length) {
      const message = await left.take()
      found.push([message.where, String(message.payload)])
    }
    assert.deepEqual(found, sent)
  },

  async shared() {
    const members = []
    for (const id of ['a', 'b', 'c']) {
      const member = await Peer.connect(id)
      await member.subscribe(`$share/workers/${topic}`, { qos: 1 })
      members.push(member)
    }
    const right = await Peer.connect('right')
    for (const text of numbers(60)) await right.publish(topic, text, { qos: 1 })
    const shares = []
    for (const member of members) {
      await member.subscribe(`${topic}/end`, { qos: 1 })
      await member.publish(`${topic}/end`, 'end', { qos: 1 })
      const share = []
      for (let message = await member.take(); message.where !== 'end'; message = await member.take()) {
        share.push(String(message.payload))
      }
      assert(share.length > 0)
      assert.deepEqual(share, [...share].sort(byNumber))
      await member.client.unsubscribeAsync(`${topic}/end`)
      shares.push(...share)
    }
    assert.deepEqual(shares.sort(byNumber), numbers(60))
  },

  async options() {
    const [left, right] = [await Peer.connect('left'), await Peer.connect('right')]
    await right.publish(`${topic}/kept`, 'kept', { qos: 1, retain: true })
    await left.subscribe(`${topic}/#`, { qos: 1, nl: true, rap: true, rh: 2 })
    await left.publish(`${topic}/own`, 'own', { qos: 1 })
    await right.publish(`${topic}/kept`, 'again', { qos: 1, retain: true })
    const message = await left.take()
    assert.equal(String(message.payload), 'again')
    assert.equal(message.packet.retain, true)
    await right.publish(`${topic}/kept`, '', { qos: 1, retain: true })
  },

  async request_and_response() {
    const [asker, answerer] = [await Peer.connect('asker'), await Peer.connect('answerer')]
    await asker.subscribe(`${topic}/answers`, { qos: 1 })
    await answerer.subscribe(`${topic}/questions`, { qos: 1 })
    await asker.publish(`${topic}/questions`, '6 * 7', {
      qos: 1,
      properties: { responseTopic: `${topic}/answers`, correlationData: Buffer.from('q1') }
    })
    const { properties } = (await answerer.take()).packet
    await answerer.publish(properties.responseTopic, '42', {
      qos: 1,
      properties: { correlationData: properties.correlationData }
    })
    const answer = await asker.take()
    assert.equal(String(answer.payload), '42')
    assert.equal(String(answer.packet.properties.correlationData), 'q1')
  }
}

talks[name]().then(
  () => process.exit(0),
  (trouble) => {
    console.error(name, trouble)
    process.exit(1)
  }
)
