//! Keys: the closed list of what can be configured.

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $default:expr, $example:literal, $comment:literal;)*) => {
        /// A key of the closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each one's documentation is its `comment`
        pub enum Key { $($name,)* }

        impl Key {
            /// Every key, in the order of the default file.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The key as files write it, with its table: `local.tcp`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The value where nothing is written; `None`: it stays unset.
            pub const fn default(self) -> Option<&'static str> {
                match self { $(Self::$name => $default,)* }
            }

            /// A value as a file would write it: the default, or one that shows the form.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$name => $example,)* }
            }

            /// What it is for, in lines of a comment.
            pub const fn comment(self) -> &'static str {
                match self { $(Self::$name => $comment,)* }
            }
        }
    };
}

keys! {
    Mode = "mode", None, r#""detached""#, "How this site is linked: \"managed\" (by an outbound link to the vendor's Kernel, after\nenrollment) or \"detached\" (never any network: files are carried by hand).\nWithout it an enrollment decides; before one the agent runs, reports not_enrolled, and answers\nevery check with mode none.";
    TenantId = "tenant_id", None, r#""01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f""#, "The organization of a detached site: the tenant's UUIDv7 from the vendor.\nRequired with mode = \"detached\"; fixed while a license is stored.";
    StateDir = "state_dir", Some("/var/lib/farhold"), r#""/var/lib/farhold""#, "Where licenses, counters and the audit log are kept. Mode 0700, owned by the agent's user.";
    RuntimeDir = "runtime_dir", Some("/run/farhold"), r#""/run/farhold""#, "Where the sockets agent.sock (for products) and admin.sock (for these verbs) are.";
    LocalTcp = "local.tcp", None, r#""127.0.0.1:7600""#, "A loopback address for products that can't open a Unix socket. Without it there is no TCP\nsocket at all.";
    LocalGid = "local.gid", None, "990", "The group, by number, whose members may open agent.sock: getent group farhold-clients.";
    LinkProxy = "link.proxy", None, r#""http://proxy.example:3128""#, "The proxy on the way to the Kernel. Without it: HTTPS_PROXY and NO_PROXY, if they are set.";
    LinkNoProxy = "link.no_proxy", None, r#"".internal.example,10.0.0.0/8""#, "Hosts reached without the proxy: names, suffixes, addresses, networks, or \"*\".";
    LinkProxyUser = "link.proxy_user", None, r#""farhold""#, "The user at a proxy that asks for one.";
    LinkProxyPasswordFile = "link.proxy_password_file", None, r#""/etc/farhold/proxy.password""#, "The file with that user's password, readable by the agent alone: never written here.";
    LinkReconnectSpread = "link.reconnect_spread", Some("120"), "120", "After a lost link, agents come back spread over this many seconds, so that a Kernel that\nreturns is not met by all of them at once.";
    ImportDropFolder = "import.drop_folder", None, r#""/var/lib/farhold/drop""#, "A folder whose *.bundle files are imported and then moved to done/ or refused/ inside it. It\nand the files belong to the agent's user or root, and nobody else may write to them. Without it\nno folder is watched.";
    MachineClusterId = "machine.cluster_id", None, r#""6f1c2d3e-4f01-4b53-8a31-3c5f01939b6e""#, "The Kubernetes cluster: kubectl get namespace kube-system -o jsonpath={.metadata.uid}. A license\nmay be bound to it; the agent itself asks no cluster.";
    QueueCap = "queue.cap", None, r#""4GiB""#, "The most the audit queue may take: bytes, or a number with KiB, MiB, GiB or TiB.\nWithout it: 10 % of the filesystem, between 512 MiB and 16 GiB.";
    LogFormat = "log.format", Some("text"), r#""text""#, "\"text\" for people, \"json\" for programs.";
    LogLevel = "log.level", Some("info"), r#""info""#, "\"error\", \"warn\", \"info\", \"debug\" or \"trace\".";
    TrustFile = "trust.file", Some("/usr/share/farhold/trust/root.json"), r#""/usr/share/farhold/trust/root.json""#, "The first trust root, where the vendor's package brings one. Not used once a root is installed.";
}

impl Key {
    /// The key that files write so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.as_str() == text)
    }

    /// The variable that sets it: `FARHOLD_LOCAL_TCP`.
    pub fn variable(self) -> String {
        format!("FARHOLD_{}", self.as_str().replace('.', "_").to_ascii_uppercase())
    }

    /// Its table, or an empty text at the top of the file.
    pub fn table(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(table, _)| table)
    }

    /// Its name within its table.
    pub fn name(self) -> &'static str {
        self.as_str().split_once('.').map_or(self.as_str(), |(_, name)| name)
    }
}
