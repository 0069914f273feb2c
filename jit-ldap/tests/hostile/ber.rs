//! Writes what a server says, well-formed or not.

pub(crate) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match body.len() {
        short @ 0..128 => bytes.push(u8::try_from(short).unwrap()),
        long => {
            bytes.push(0x84);
            bytes.extend_from_slice(&u32::try_from(long).unwrap().to_be_bytes());
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn message(id: i32, op: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(2, &id.to_be_bytes()), op].concat())
}

pub(crate) fn controlled(id: i32, op: &[u8], controls: &[(&str, &[u8])]) -> Vec<u8> {
    let list =
        controls.iter().map(|(oid, value)| tlv(0x30, &[tlv(4, oid.as_bytes()), tlv(4, value)].concat()));
    tlv(0x30, &[&tlv(2, &id.to_be_bytes()), op, &tlv(0xa0, &list.collect::<Vec<_>>().concat())].concat())
}

pub(crate) fn result(tag: u8, code: u8, text: &[u8]) -> Vec<u8> {
    tlv(tag, &[tlv(10, &[code]), tlv(4, b""), tlv(4, text)].concat())
}

pub(crate) fn bound() -> Vec<u8> {
    result(0x61, 0, b"")
}

pub(crate) fn done(code: u8) -> Vec<u8> {
    result(0x65, code, b"")
}

pub(crate) fn attribute(name: &str, values: &[Vec<u8>]) -> Vec<u8> {
    let values: Vec<_> = values.iter().map(|value| tlv(4, value)).collect();
    tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, &values.concat())].concat())
}

pub(crate) fn entry(dn: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x64, &[tlv(4, dn.as_bytes()), tlv(0x30, &attributes.concat())].concat())
}

pub(crate) fn notice(name: &str) -> Vec<u8> {
    let body = [tlv(10, &[52]), tlv(4, b""), tlv(4, b""), tlv(0x8a, name.as_bytes())].concat();
    message(0, &tlv(0x78, &body))
}

pub(crate) fn nested(tag: u8, levels: usize) -> Vec<u8> {
    // from the inside out, without moving what is there already
    let mut reversed = Vec::new();
    for _ in 0..levels {
        let length = reversed.len();
        if length < 128 {
            reversed.push(u8::try_from(length).unwrap());
        } else {
            reversed.extend(u32::try_from(length).unwrap().to_le_bytes());
            reversed.push(0x84);
        }
        reversed.push(tag);
    }
    reversed.reverse();
    reversed
}
