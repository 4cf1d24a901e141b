CREATE TABLE "net_l3vpn_Port" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "mac_address" varchar(64) COLLATE "C",
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) COLLATE "C" NOT NULL,
  "vnic_type" varchar(32) COLLATE "C" NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" text COLLATE "C",
  "device_id" varchar(255) COLLATE "C",
  "device_owner" varchar(128) COLLATE "C",
  "host_id" varchar(255) COLLATE "C",
  "vif_type" varchar(64) COLLATE "C",
  "vif_details" text COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Port_f32596933f" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_Interface" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "port_id" varchar(64) COLLATE "C" NOT NULL,
  "segmentation_type" varchar(32) COLLATE "C" NOT NULL,
  "segmentation_id" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Interface_fce32c0487" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnService" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "description" varchar(256) COLLATE "C",
  "route_distinguisher" varchar(64) COLLATE "C",
  "ipv4" text COLLATE "C",
  "ipv6" text COLLATE "C",
  "hub_target" varchar(64) COLLATE "C",
  "spoke_target" varchar(64) COLLATE "C",
  "subnets" text COLLATE "C" NOT NULL,
  "mtu" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnService_e88a466465" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_VpnBinding" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "interface_id" varchar(64) COLLATE "C" NOT NULL,
  "service_id" varchar(64) COLLATE "C" NOT NULL,
  "role" varchar(32) COLLATE "C" NOT NULL,
  "ip_address" varchar(64) COLLATE "C",
  "more_addresses" text COLLATE "C" NOT NULL,
  "anycast_addresses" text COLLATE "C" NOT NULL,
  "static_routes" text COLLATE "C" NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnBinding_2e766733d6" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_BgpPeering" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "local_address" varchar(64) COLLATE "C" NOT NULL,
  "peer_address" varchar(64) COLLATE "C" NOT NULL,
  "peer_asn" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_BgpPeering_aae7f199f8" PRIMARY KEY ("id")
);
CREATE TABLE "net_l3vpn_DataplaneTunnel" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "local_endpoint" varchar(64) COLLATE "C" NOT NULL,
  "remote_endpoint" varchar(64) COLLATE "C" NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l3vpn_DataplaneTunnel_dd80c8a298" PRIMARY KEY ("id")
);
CREATE INDEX "ix_net_l3vpn_Port_025dcd715a" ON "net_l3vpn_Port" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_Port_8cccc76078" ON "net_l3vpn_Port" ("name" NULLS FIRST, "id");
CREATE INDEX "ix_net_l3vpn_Interface_5b9b386642" ON "net_l3vpn_Interface" ("port_id");
CREATE INDEX "ix_net_l3vpn_Interface_3e7a93ad4a" ON "net_l3vpn_Interface" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_Interface_91fee28394" ON "net_l3vpn_Interface" ("name" NULLS FIRST, "id");
ALTER TABLE "net_l3vpn_Interface" ADD CONSTRAINT "fk_net_l3vpn_Interface_5b9b386642" FOREIGN KEY ("port_id") REFERENCES "net_l3vpn_Port" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "ix_net_l3vpn_VpnService_b733de9f6a" ON "net_l3vpn_VpnService" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_VpnService_54e0fa4577" ON "net_l3vpn_VpnService" ("name" NULLS FIRST, "id");
CREATE UNIQUE INDEX "uq_net_l3vpn_VpnBinding_ca699cc775" ON "net_l3vpn_VpnBinding" ("interface_id", "service_id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_7d7e019615" ON "net_l3vpn_VpnBinding" ("service_id");
CREATE INDEX "ix_net_l3vpn_VpnBinding_46618e16a5" ON "net_l3vpn_VpnBinding" ("_project", "id");
ALTER TABLE "net_l3vpn_VpnBinding" ADD CONSTRAINT "fk_net_l3vpn_VpnBinding_69f737648c" FOREIGN KEY ("interface_id") REFERENCES "net_l3vpn_Interface" ("id") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "net_l3vpn_VpnBinding" ADD CONSTRAINT "fk_net_l3vpn_VpnBinding_7d7e019615" FOREIGN KEY ("service_id") REFERENCES "net_l3vpn_VpnService" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX "uq_net_l3vpn_BgpPeering_8f15203448" ON "net_l3vpn_BgpPeering" ("local_address", "peer_address");
CREATE INDEX "ix_net_l3vpn_BgpPeering_c5023b2e63" ON "net_l3vpn_BgpPeering" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_BgpPeering_95ccae0961" ON "net_l3vpn_BgpPeering" ("name" NULLS FIRST, "id");
CREATE UNIQUE INDEX "uq_net_l3vpn_DataplaneTunnel_8d45d4944e" ON "net_l3vpn_DataplaneTunnel" ("local_endpoint", "remote_endpoint");
CREATE INDEX "ix_net_l3vpn_DataplaneTunnel_16dab56dc3" ON "net_l3vpn_DataplaneTunnel" ("_project", "id");
CREATE INDEX "ix_net_l3vpn_DataplaneTunnel_88f948d845" ON "net_l3vpn_DataplaneTunnel" ("name" NULLS FIRST, "id");
