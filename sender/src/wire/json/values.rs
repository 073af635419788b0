use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};

use super::record::shortened;
use crate::wire::TracedValues;

impl<S: AsRef<str>> Serialize for TracedValues<S> {
    fn serialize<Ser: Serializer>(&self, serializer: Ser) -> Result<Ser::Ok, Ser::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, S: AsRef<str> + Deserialize<'de>> Deserialize<'de> for TracedValues<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<S>(PhantomData<S>);

        impl<'de, S: AsRef<str> + Deserialize<'de>> Visitor<'de> for MapVisitor<S> {
            type Value = TracedValues<S>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of names to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // The announced length is not trusted: memory grows with what really arrives.
                let mut values = TracedValues::new();
                while let Some((name, value)) = map.next_entry()? {
                    values.push(name, value);
                }
                Ok(values)
            }
        }

        deserializer.deserialize_map(MapVisitor(PhantomData)).map_err(shortened)
    }
}
