#!/usr/bin/env node
// A WebSocket server that is not ours, before a broker on TCP.
//
//     websocket_relay.cjs DIRECTORY PORT [CERTIFICATE KEY]
//
// DIRECTORY is where install_mqttjs has installed the package ws. Prints the port that it listens
// on, and relays to PORT of this machine; each frame carries what came in one piece.
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const path = require('node:path')
const { createRequire } = require('node:module')

const [directory, port, certificate, key] = process.argv.slice(2)
const { WebSocketServer } = createRequire(path.resolve(directory, 'node_modules') + '/')('ws')

const server = certificate === undefined
  ? http.createServer()
  : https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
new WebSocketServer({ server, handleProtocols: (names) => names.has('mqtt') && 'mqtt' })
  .on('connection', (socket) => {
    const broker = net.connect(Number(port), '127.0.0.1')
    socket.on('message', (bytes) => broker.write(bytes))
    socket.on('close', () => broker.end())
    broker.on('data', (bytes) => socket.send(bytes))
    broker.on('close', () => socket.close())
    broker.on('error', () => socket.terminate())
    socket.ping()
  })
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
